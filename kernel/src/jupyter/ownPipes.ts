// Pipes of a request's own, in the place of descriptors 1 and 2, for the processes that its code starts: what these and
// all their descendants write belongs to that cell, whichever runs when it comes.
import fs from "node:fs";
import { join } from "node:path";
import timers from "node:timers";
import { type Context, currentContext } from "./context";
import { makePipes } from "./descriptors";
import type { OwnPipes } from "./link";
import type { Output } from "./output";
import { closeBoth, type Ends, type OpenEnds, openBoth } from "./pipeFiles";
import type { KeepPipes } from "./workers";
import type { KernelZone } from "./zone";

const { O_RDONLY, O_NONBLOCK } = fs.constants;
// A copy, since a cell may put something else in its place.
const { setTimeout } = timers;

/** Pairs of pipes that are made at a time: that starts a process. */
const batch = 16;
/** A request's pipes are kept open for what it may start next; afterwards they end with their last writer. */
const keptMs = 1000;

type Paths = OwnPipes["paths"];

interface Held {
  paths: Paths;
  /** They keep the pipes from ending. */
  ends: Ends;
  /** Threads that may open them. */
  users: number;
  timer: NodeJS.Timeout;
}

export class PipesOfRequests {
  /** Nobody has opened them yet. */
  private readonly spare: Paths[] = [];
  private made = 0;
  /** By the request's header. */
  private readonly held = new Map<string, Held>();

  constructor(
    private readonly folder: string,
    private readonly output: Output,
    private readonly zone: KernelZone,
  ) {}

  /** New ends, to be closed by the caller: a child that makes its own non-blocking does so to no other. */
  open: OpenEnds = () => this.use(({ paths }) => openBoth(paths, "w"));

  /** Files that can be opened until they are let go. */
  keep: KeepPipes = () =>
    this.use((held) => {
      held.users++;
      const release = () => {
        held.users--;
        held.timer.refresh();
      };
      return { paths: held.paths, release };
    });

  private use<T>(work: (held: Held) => T): T | null {
    const context = currentContext();
    // Before the first cell there is none that it could belong to.
    if (context.headerJson === "{}") return null;
    return this.zone.run(() => {
      try {
        const held = this.held.get(context.headerJson) ?? this.begin(context);
        held.timer.refresh();
        return work(held);
      } catch {
        // There are no more descriptors, say: it goes where descriptors 1 and 2 lead.
        return null;
      }
    });
  }

  private begin({ headerJson: parent, silent }: Context): Held {
    const { held: all } = this;
    const paths = this.takeSpare();
    // Ends for writing cannot be opened where there is none for reading.
    const [stdout, stderr] = openBoth(paths, O_RDONLY | O_NONBLOCK);
    let ends: Ends;
    try {
      ends = openBoth(paths, "w");
    } catch (error) {
      closeBoth([stdout, stderr]);
      throw error;
    }
    const end = () => {
      if (held.users > 0) return;
      all.delete(parent);
      closeBoth(held.ends);
    };
    const held: Held = { paths, ends, users: 0, timer: setTimeout(end, keptMs).unref() };
    all.set(parent, held);
    this.output.pipes({ parent, silent, stdout, stderr, paths });
    return held;
  }

  private takeSpare(): Paths {
    if (this.spare.length === 0) {
      for (let count = 0; count < batch; count++) {
        const path = join(this.folder, String(++this.made));
        this.spare.push([`${path}.out`, `${path}.err`]);
      }
      try {
        makePipes(this.spare.flat());
      } catch (error) {
        this.spare.length = 0;
        throw error;
      }
    }
    return this.spare.pop() as Paths;
  }
}
