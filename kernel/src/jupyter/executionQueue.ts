import { LutnnError } from "../errors";
import { mimeBundle } from "../host/mimeBundle";
import { Cell, InterruptedError } from "./cell";
import type { CellRunner } from "./cellRunner";
import { runIn, setLatest } from "./context";
import { onNextTurn } from "./eventLoop";
import { collectorOfGarbage } from "./garbage";
import type { JsonObject, Request } from "./link";
import type { Output } from "./output";
import { describeError } from "./traceback";
import type { KernelZone } from "./zone";

/**
 * Runs execute_requests one after the other. What brings a cell from one state to the next is in the kernel's zone, so
 * that code which is stopped from outside leaves the queue whole.
 */
export class ExecutionQueue {
  private readonly waiting: (Request | (() => void))[] = [];
  private running: Cell | null = null;
  /** Set between an error and the moment when everything that was sent before it is here. */
  private afterFence: (() => void) | null = null;
  private executionCount = 0;
  private serial = 0;
  private readonly collectGarbage = collectorOfGarbage();

  constructor(
    private readonly runner: CellRunner,
    private readonly output: Output,
    private readonly zone: KernelZone,
    /** Puts back what a cell has overwritten of what is needed here. */
    private readonly repair: () => void,
  ) {}

  /** The cell that is being executed. */
  get current(): Cell | null {
    return this.running;
  }

  add(request: Request): void {
    this.waiting.push(request);
    this.next();
  }

  /** Calls `task` once the cells that are here now are done; at once when there are none. */
  afterCells(task: () => void): void {
    this.waiting.push(task);
    this.next();
  }

  /** @param stopped the code has been stopped from outside: nothing more comes from it */
  interrupt(stopped: boolean): void {
    const cell = this.running;
    if (!cell) {
      // What was stopped may have been a task between two cells.
      this.next();
      return;
    }
    const giveUp = () => {
      cell.giveUp();
      this.fail(cell, new InterruptedError());
    };
    if (stopped) {
      cell.restoreTensorflow();
      giveUp();
    } else cell.interrupt(giveUp);
  }

  /** The wire thread has handed over all that was sent before {@link Output.fence}. */
  fence(): void {
    this.zone.run(() => {
      const { afterFence } = this;
      this.afterFence = null;
      afterFence?.();
    });
    this.next();
  }

  /** The process is about to end while this cell runs: it is told so. */
  endOfProcess(code: number): void {
    this.repair();
    const cell = this.running;
    if (!cell || cell.settled) return;
    cell.settled = true;
    const error = new Error(`the cell ended the kernel's process (exit code ${code})`);
    const { content, reply } = describeFailure(cell, error);
    this.output.publish("error", content, { context: cell });
    this.finish(cell, reply);
  }

  private next(): void {
    while (!this.running) {
      const request = this.waiting.shift();
      if (!request) return;
      if (typeof request === "function") request();
      else this.zone.run(() => this.begin(request));
    }
  }

  private begin(request: Request): void {
    const counted = request.content.silent !== true && request.content.store_history !== false;
    if (counted) this.executionCount++;
    else this.serial++;
    const label = counted ? String(this.executionCount) : `(${this.executionCount}.${this.serial})`;
    const cell = new Cell(request, label, this.executionCount);
    this.running = cell;
    // From the event loop, so that nothing of the kernel's lies below the user's code on the stack.
    onNextTurn(() => this.start(cell, counted));
  }

  private start(cell: Cell, counted: boolean): void {
    if (cell.settled) return;
    this.repair();
    setLatest(cell);
    this.output.cell(cell);
    const { code, executionCount } = cell;
    this.output.status("busy", cell);
    this.output.publish("execute_input", { code, execution_count: executionCount }, { context: cell });
    if (counted) this.output.history({ line: executionCount, source: code, output: null });
    runIn(cell, () => this.run(cell, counted)).then(
      (expressions) => this.succeed(cell, expressions),
      (error) => this.fail(cell, error),
    );
  }

  /** @returns the reply's user_expressions */
  private async run(cell: Cell, counted: boolean): Promise<JsonObject> {
    checkContent(cell.request.content);
    await this.runner.execute(cell);
    this.output.putForeignFirst();
    if (cell.lastValue !== undefined) {
      const { executionCount, code, lastValue } = cell;
      const data = await mimeBundle(lastValue);
      // An object with an empty bundle has shown itself already.
      if (Object.keys(data).length > 0)
        this.output.publish("execute_result", { execution_count: executionCount, data, metadata: {} });
      const text = data["text/plain"];
      if (counted && typeof text === "string")
        this.output.history({ line: executionCount, source: code, output: text });
    }
    const expressions: JsonObject = {};
    for (const [name, expression] of Object.entries(cell.request.content.user_expressions ?? {}))
      expressions[name] = await this.evaluate(cell, String(expression));
    return expressions;
  }

  private async evaluate(cell: Cell, expression: string): Promise<object> {
    const probe = new Cell(cell.request, `${cell.label} expression`, cell.executionCount, `(${expression})`);
    try {
      await runIn(probe, () => this.runner.execute(probe));
      return { status: "ok", data: await mimeBundle(probe.lastValue), metadata: {} };
    } catch (error) {
      return { status: "error", ...describeError(error, probe.title, probe.code) };
    }
  }

  private succeed(cell: Cell, user_expressions: JsonObject): void {
    this.repair();
    const reply = { status: "ok", execution_count: cell.executionCount, user_expressions, payload: [] };
    this.settle(cell, () => this.finish(cell, reply));
  }

  private fail(cell: Cell, error: unknown): void {
    if (cell.settled) return;
    this.repair();
    // This may run code of the user's: not in the kernel's zone.
    const { content, reply } = describeFailure(cell, error);
    this.settle(cell, () => {
      this.runner.failed(cell);
      this.output.publish("error", content, { context: cell });
      if (cell.request.content.stop_on_error === false) this.finish(cell, reply);
      else {
        // What the client sent before it knew of the error is not executed.
        this.afterFence = () => {
          this.finish(cell, reply);
          for (const request of this.waiting.splice(0))
            if (typeof request === "function") this.waiting.push(request);
            else this.abort(request);
        };
        this.output.fence();
      }
    });
  }

  /** A cell's end, whole or not at all, and once. */
  private settle(cell: Cell, end: () => void): void {
    this.zone.run(() => {
      if (cell.settled) return;
      cell.settled = true;
      this.output.putForeignFirst(cell);
      end();
    });
    this.next();
  }

  private finish(cell: Cell, reply: object): void {
    this.output.reply(cell.request, "execute_reply", reply);
    this.output.status("idle", cell);
    this.output.cell(null);
    this.running = null;
    this.collectGarbage();
  }

  private abort(request: Request): void {
    const context = new Cell(request, "", this.executionCount);
    this.output.status("busy", context);
    this.output.reply(request, "execute_reply", { status: "aborted" });
    this.output.status("idle", context);
  }
}

/** Text of thousands of characters would be as many expressions, and what is no text some other cell. */
function checkContent({ code, user_expressions: given }: JsonObject): void {
  const refuse = (field: string, rule: string, value: unknown) =>
    new LutnnError(`execute_request: ${field} must be ${rule} (got ${kindOf(value)}); correct the client`);
  if (typeof code !== "string") throw refuse("code", "a string", code);
  if (given !== undefined && given !== null && kindOf(given) !== "object")
    throw refuse("user_expressions", "an object", given);
}

const kindOf = (value: unknown) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

/** The content of a failed cell's error message, and its reply. */
function describeFailure(cell: Cell, error: unknown) {
  const content = describeError(error, cell.title, cell.code);
  const { executionCount } = cell;
  const reply = {
    status: "error",
    execution_count: executionCount,
    ...content,
    user_expressions: {},
    payload: [],
  };
  return { content, reply };
}
