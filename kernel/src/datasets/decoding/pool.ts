import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { LutnnError } from "../../errors";
import { loadSharp } from "../formats/jpeg";
import type { DecodingTask } from "./recipe";
import type { Reply, Request } from "./worker";

/** Threads that decode; training keeps the processors, these take what it leaves. */
export const poolSize = Math.max(1, Math.min(4, availableParallelism()));
/** Milliseconds without work after which the threads end. */
const rest = 10_000;

interface Waiting {
  resolve: (values: Float32Array) => void;
  reject: (error: Error) => void;
}

/** One thread and what it has been asked for. */
class DecodingThread {
  readonly waiting = new Map<number, Waiting>();
  private readonly worker = new Worker(join(__dirname, "worker.js"));
  hasEnded = false;

  constructor() {
    this.worker.unref(); // a process whose work is done may end
    this.worker.on("message", (reply: Reply) => this.settle(reply));
    this.worker.on("error", (error) => this.end(error));
    this.worker.on("exit", () => this.end(new LutnnError("read: the thread that decodes ended; try again")));
  }

  ask(request: Request, waiting: Waiting): void {
    if (this.waiting.size === 0) this.worker.ref();
    this.waiting.set(request.id, waiting);
    this.worker.postMessage(request);
  }

  stop(): void {
    this.hasEnded = true;
    void this.worker.terminate();
  }

  private settle(reply: Reply): void {
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (this.waiting.size === 0) this.worker.unref();
    if ("values" in reply) waiting?.resolve(reply.values);
    else waiting?.reject(reply.isOurs ? new LutnnError(reply.fault) : new Error(reply.fault));
  }

  private end(error: Error): void {
    this.hasEnded = true;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

let threads: DecodingThread[] = [];
let count = 0;
let ending: NodeJS.Timeout | undefined;

/** The numbers of a task's items, made by one of the threads: float32 (items, length). */
export async function decodeElsewhere(task: DecodingTask): Promise<Float32Array> {
  // The main thread must have loaded libvips before another one does, or it would be unloaded with that one.
  if (task.recipe.kind === "image" && task.recipe.format === "jpeg") await loadSharp();
  clearTimeout(ending);
  try {
    return await new Promise((resolve, reject) =>
      leastBusy().ask({ id: count++, task }, { resolve, reject }),
    );
  } finally {
    if (threads.every(({ waiting }) => waiting.size === 0)) {
      clearTimeout(ending);
      ending = setTimeout(endThreads, rest).unref();
    }
  }
}

function leastBusy(): DecodingThread {
  threads = threads.filter(({ hasEnded }) => !hasEnded);
  const [idlest] = [...threads].sort((a, b) => a.waiting.size - b.waiting.size);
  if (idlest && (idlest.waiting.size === 0 || threads.length >= poolSize)) return idlest;
  const thread = new DecodingThread();
  threads.push(thread);
  return thread;
}

function endThreads(): void {
  for (const thread of threads) thread.stop();
  threads = [];
}
