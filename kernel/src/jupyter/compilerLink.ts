import type { MessagePort } from "node:worker_threads";
import { LutnnError } from "../errors";
import type { Conversion, Diagnostic, FromCompiler, ToCompiler } from "./compile/messages";

/** The cell's code does not compile. */
export class CompilationError extends Error {
  constructor(readonly diagnostics: Diagnostic[]) {
    super(diagnostics[0].messageText);
  }
}

/** The main thread's end of the line to the compile thread. */
export class CompilerLink {
  private readonly waiting = new Map<number, (reply: FromCompiler) => void>();
  private newest = 0;

  constructor(private readonly port: MessagePort) {
    port.on("message", (reply: FromCompiler) => {
      this.waiting.get(reply.id)?.(reply);
      this.waiting.delete(reply.id);
    });
    port.unref();
  }

  /** Compiles a cell. Rejects with CompilationError when it is wrong. */
  async convert(source: string): Promise<Conversion & { id: number }> {
    const id = ++this.newest;
    this.post({ kind: "convert", id, source });
    const reply = await new Promise<FromCompiler>((resolve) => this.waiting.set(id, resolve));
    if ("error" in reply) throw failureOf(reply.error);
    const { conversion } = reply;
    if (conversion.diagnostics.length > 0) throw new CompilationError(conversion.diagnostics);
    return { ...conversion, id };
  }

  /** What this cell declares holds from now on. */
  adopt(id: number): void {
    this.post({ kind: "adopt", id });
  }

  /** These declared values do not exist. */
  forget(names: string[]): void {
    this.post({ kind: "forget", names });
  }

  private post(message: ToCompiler): void {
    this.port.postMessage(message);
  }
}

/** The compiler itself has failed: most often at code that no one would write by hand. */
function failureOf(error: string): LutnnError {
  if (error.startsWith("RangeError: Maximum call stack size exceeded"))
    return new LutnnError(
      "compiling the cell: brackets and operators must not be nested too deeply for the TypeScript compiler (some thousand levels are); name the inner parts, or read them with JSON.parse",
    );
  return new LutnnError(`compiling the cell: the TypeScript compiler failed: ${error}`);
}
