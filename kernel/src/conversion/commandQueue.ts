import { LutnnError } from "../errors";
import { listenToProgress, type ProgressFigures } from "../host/progressListener";
import { cellSignal } from "../host/signal";
import { watchingForLoss } from "../host/unwound";

/** A command that waits or runs. */
export interface PendingCommand {
  readonly id: number;
  /** The verb, with what it is about: "replace conv2". */
  readonly name: string;
  readonly state: "waiting" | "running";
  /** How far its present step is; null before there is one. */
  readonly progress: ProgressFigures | null;
  /** Takes it back, or stops it within a second; its promise is rejected. */
  cancel(): void;
}

interface Entry {
  id: number;
  name: string;
  state: "waiting" | "running";
  controller: AbortController;
  progress: ProgressFigures | null;
}

/** Commands one after the other, in the order in which they came. */
export class CommandQueue {
  private readonly entries: Entry[] = [];
  private last: Promise<unknown> = Promise.resolve();
  private count = 0;

  /**
   * @param onChange called when a command comes, begins, gets on or ends
   * @param onLost called when a command was stopped in the middle of its code, so that nothing of it has been put in order
   */
  constructor(
    private readonly onChange: () => void,
    private readonly onLost: () => void,
  ) {}

  /** Commands that run or wait, in order. */
  get pending(): PendingCommand[] {
    return this.entries.map(({ id, name, state, progress, controller }) => ({
      id,
      name,
      state,
      progress,
      cancel: () =>
        controller.abort(
          new LutnnError(`${name}: the command was cancelled (it was ${state}); nothing is lost`),
        ),
    }));
  }

  /**
   * Runs a command once those before it are over, whether they succeeded or not. It is given a signal that aborts on
   * the caller's own, on the notebook's stop button, and when it is cancelled; aborted while waiting, it never begins.
   */
  run<T>(name: string, own: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const entry: Entry = { id: ++this.count, name, state: "waiting", controller, progress: null };
    const signal = AbortSignal.any([cellSignal(own), controller.signal]);
    this.entries.push(entry);
    this.onChange();
    const turn = this.last.then(async () => {
      try {
        signal.throwIfAborted();
        entry.state = "running";
        this.onChange();
        const listener = (figures: ProgressFigures) => {
          entry.progress = figures;
          this.onChange();
        };
        return await new Promise<T>((resolve, reject) => {
          const onLost = () => {
            this.onLost();
            reject(
              new LutnnError(
                `${name}: the command was stopped in the middle of a computation; the conversion is in the state before it`,
              ),
            );
          };
          const running = () => listenToProgress(listener, () => work(signal));
          watchingForLoss(onLost, running).then(resolve, reject);
        });
      } finally {
        this.entries.splice(this.entries.indexOf(entry), 1);
        this.onChange();
      }
    });
    this.last = turn.catch(() => undefined);
    return turn;
  }
}
