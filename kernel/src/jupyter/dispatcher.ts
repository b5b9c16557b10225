import { InterruptedError } from "./cell";
import type { CommManager } from "./comms";
import { type Context, runIn } from "./context";
import type { ExecutionQueue } from "./executionQueue";
import type { JsonObject, Request } from "./link";
import type { Output } from "./output";
import { saveTensorflow } from "./tensorflowState";
import { describeError } from "./traceback";

/**
 * Gives each request to whom it concerns. Only cells queue up: completion, inspection and comms are served while one
 * runs, so that a view can steer a training cell. A comm message about something that is not there waits for the cells
 * which were sent before it, since one of them may make it.
 */
export class Dispatcher {
  /** The request whose handler runs; still set when an interrupt has stopped that. */
  private handling: Context | null = null;
  /** Brings TensorFlow.js back to where it was when the newest handler began. */
  private restoreTensorflow = () => {};
  /** Aborts what comm handlers have started. */
  private controller = new AbortController();

  /** A map, since a message may be of any type, also of a name that every object has. */
  private readonly answers: Map<string, (content: JsonObject) => object>;

  constructor(
    private readonly queue: ExecutionQueue,
    private readonly comms: CommManager,
    private readonly output: Output,
  ) {
    this.answers = new Map([["comm_info_request", (content) => comms.info(content)]]);
  }

  take(request: Request): void {
    this.endHandling();
    const type = request.header.msg_type;
    const answer = this.answers.get(type);
    if (type === "execute_request") this.queue.add(request);
    else if (answer) this.handle(request, () => this.reply(request, () => answer(request.content)));
    else if (/^comm_(open|msg|close)$/.test(type)) {
      const take = () => this.handle(request, () => this.comms.take(request));
      if (this.comms.knows(request)) take();
      else this.queue.afterCells(take);
    }
  }

  /** @param stopped what a handler has started has been stopped from outside */
  interrupt(stopped: boolean): void {
    this.endHandling();
    if (stopped) this.restoreTensorflow();
    this.controller.abort(new InterruptedError());
    this.controller = new AbortController();
  }

  private handle(request: Request, work: () => void): void {
    const { headerJson, identities } = request;
    const { signal } = this.controller;
    const context: Context = { headerJson, identities, silent: false, allowStdin: false, signal };
    this.output.status("busy", context);
    this.handling = context;
    this.restoreTensorflow = saveTensorflow();
    runIn(context, () => {
      try {
        work();
      } catch (error) {
        this.output.stream("stderr", `${describeError(error, "", "").traceback.join("\n")}\n`);
      }
    });
    this.endHandling();
  }

  private reply(request: Request, work: () => object): void {
    const type = request.header.msg_type.replace("_request", "_reply");
    try {
      this.output.reply(request, type, work());
    } catch (error) {
      this.output.reply(request, type, { status: "error", ...describeError(error, "", "") });
    }
  }

  private endHandling(): void {
    const { handling } = this;
    if (!handling) return;
    this.handling = null;
    this.output.status("idle", handling);
  }
}
