// The compile thread: turns cells into JavaScript for the main thread and answers the editor for the wire thread, so
// that neither waits for the other: code is completed while a cell loops, and a training cell is not held up by it.
import { join } from "node:path";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { cacheFolder } from "../dataFolder";
import { collectorOfGarbage } from "../garbage";
import { typescriptFile, typescriptVersion } from "../tslab";
import { assistance } from "./assistance";
import { CellCompiler } from "./cellCompiler";
import { requireCached } from "./codeCache";
import type { Ts } from "./compilerApi";
import type {
  AssistanceReply,
  AssistanceRequest,
  CompileSettings,
  FromCompiler,
  ToCompiler,
} from "./messages";
import { neverOptimizeMakers } from "./neverOptimize";

/** After this time the first cells have been compiled, in most notebooks. */
const quietMs = 20_000;

function start({ folder, main, wire }: CompileSettings): void {
  const cacheName = `typescript-${typescriptVersion}-${process.versions.v8}-${process.arch}.bin`;
  const typescript = requireCached(typescriptFile, join(cacheFolder(), cacheName));
  const ts = typescript.exports as Ts;
  neverOptimizeMakers(ts);
  const compiler = new CellCompiler(ts, folder);
  setTimeout(typescript.save, quietMs);
  const collectGarbage = collectorOfGarbage();
  const describe = (error: unknown) =>
    error instanceof Error ? (error.stack ?? error.message) : String(error);

  const take = (message: ToCompiler) => {
    if (message.kind === "adopt") compiler.adopt(message.id);
    else if (message.kind === "forget") compiler.forget(message.names);
    else {
      const { id, source } = message;
      const post = (reply: FromCompiler) => main.postMessage(reply);
      try {
        post({ id, conversion: compiler.convert(id, source) });
        setImmediate(collectGarbage);
      } catch (error) {
        post({ id, error: describe(error) });
      }
    }
  };
  main.on("message", take);

  wire.on("message", ({ id, type, content }: AssistanceRequest) => {
    // What the main thread has said before counts, although it comes by another port.
    for (let said = receiveMessageOnPort(main); said; said = receiveMessageOnPort(main)) take(said.message);
    const post = (reply: AssistanceReply) => wire.postMessage(reply);
    try {
      post({ id, content: assistance[type](compiler, content) });
    } catch (error) {
      post({
        id,
        content: { status: "error", ename: "CompilerError", evalue: describe(error), traceback: [] },
      });
    }
  });
}

if (parentPort) start(workerData as CompileSettings);
