// A thread that makes numbers of files, so that the main loop goes on training. It must not load TensorFlow: two copies
// of it in one process share their threads.
import { parentPort } from "node:worker_threads";
import { LutnnError } from "../../errors";
import { decode } from "./decode";
import type { DecodingTask } from "./recipe";

/** What a worker is sent: a task under a number. */
export interface Request {
  id: number;
  task: DecodingTask;
}

/** What it answers: numbers of all items; or what went wrong, and whether it says so in a sentence of ours. */
export type Reply =
  | { id: number; values: Float32Array<ArrayBuffer> }
  | { id: number; fault: string; isOurs: boolean };

parentPort?.on("message", async ({ id, task }: Request) => {
  try {
    const values = await decode(task);
    parentPort!.postMessage({ id, values } satisfies Reply, [values.buffer]);
  } catch (error) {
    const isOurs = error instanceof LutnnError;
    const fault = isOurs ? error.message : String((error as Error).stack ?? error);
    parentPort!.postMessage({ id, fault, isOurs } satisfies Reply);
  }
});
