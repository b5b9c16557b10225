import type { MessagePort } from "node:worker_threads";
import type { AssistanceReply, AssistanceRequest } from "../compile/messages";
import type { JsonObject } from "../link";

/** The wire thread's end of the line to the compile thread. */
export class Assistant {
  private readonly waiting = new Map<number, (content: object) => void>();
  private newest = 0;

  constructor(private readonly port: MessagePort) {
    port.on("message", ({ id, content }: AssistanceReply) => {
      this.waiting.get(id)?.(content);
      this.waiting.delete(id);
    });
  }

  /** Content of the reply to a complete_request, inspect_request or is_complete_request. */
  answer(type: string, content: JsonObject): Promise<object> {
    const id = ++this.newest;
    this.port.postMessage({ id, type, content } satisfies AssistanceRequest);
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }
}
