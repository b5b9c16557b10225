// What child processes write, each to the pipes of the request that started it.
import { closeSync, unlinkSync } from "node:fs";
import type { OwnPipes } from "../link";
import { PipeEnd, readSoFar, type StreamName } from "./pipeEnd";

interface Open {
  pipes: OwnPipes;
  ends: PipeEnd[];
}

export class RequestPipes {
  private open: Open[] = [];

  constructor(private readonly publish: (name: StreamName, parent: string, text: string) => void) {}

  add(pipes: OwnPipes): void {
    const ends = [new PipeEnd("stdout", pipes.stdout), new PipeEnd("stderr", pipes.stderr)];
    this.open.push({ pipes, ends });
  }

  /** Publishes a piece of each; @returns the number of bytes */
  readPieces(): number {
    let sum = 0;
    for (const { pipes, ends } of this.open) sum += this.readEach(pipes, ends);
    this.removeEnded();
    return sum;
  }

  /** Publishes all that has been written so far for this request, or for all. */
  drain(parent?: string): void {
    for (const { pipes, ends } of this.open)
      if (parent === undefined || pipes.parent === parent)
        for (const end of ends) readSoFar(() => this.readEach(pipes, [end]));
  }

  private readEach({ parent, silent }: OwnPipes, ends: PipeEnd[]): number {
    let sum = 0;
    for (const end of ends) {
      const { size, text } = end.read();
      if (text !== "" && !silent) this.publish(end.name, parent, text);
      sum += size;
    }
    return sum;
  }

  /** Closes those that nobody can write to any more. */
  private removeEnded(): void {
    const ended = this.open.filter(({ ends }) => ends.every(({ hasEnded }) => hasEnded));
    if (ended.length === 0) return;
    for (const { pipes, ends } of ended) {
      for (const path of pipes.paths) tryTo(() => unlinkSync(path));
      for (const { descriptor } of ends) tryTo(() => closeSync(descriptor));
    }
    this.open = this.open.filter((each) => !ended.includes(each));
  }
}

function tryTo(work: () => void): void {
  try {
    work();
  } catch {
    // A cell has removed or closed it.
  }
}
