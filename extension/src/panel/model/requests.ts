import type { KernelMessage } from "../../../../kernel/src/report/conversionMessages";

/** What the kernel answers a request with. */
export type Answer = Exclude<KernelMessage, { type: "conversions" | "snapshot" | "refused" }>;

interface Waiting {
  resolve(answer: Answer): void;
  reject(reason: Error): void;
}

/** Requests by their numbers, until the kernel answers them or is gone. */
export class Requests {
  #last = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** Sends a request by its number; resolves to the answer, and rejects with the kernel's sentence where it failed. */
  send<Type extends Answer["type"]>(
    type: Type,
    send: (request: number) => void,
  ): Promise<Extract<Answer, { type: Type }>> {
    const request = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, {
        reject,
        resolve: (answer) =>
          answer.type === type
            ? resolve(answer as Extract<Answer, { type: Type }>)
            : reject(new Error(`the kernel answered with ${answer.type} where ${type} was asked for`)),
      });
      send(request);
    });
  }

  /** An answer that belongs to no request is dropped: it was asked before the page was loaded anew. */
  answer(answer: Answer): void {
    const waiting = this.#waiting.get(answer.request);
    this.#waiting.delete(answer.request);
    if (answer.type === "failed") waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer);
  }

  /** Nobody will answer any more. */
  abandon(reason: string): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(new Error(reason));
  }
}
