// node test/protocol/fuzzTopLevel.mjs [RUNS] [SEED]: random programs (topLevelCases.mjs) as cells of a notebook, compiled
// and run as the kernel does, against the same statements in one function of plain JavaScript: the same calls in the
// same order with the same values, the same errors.
import { mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import vm from "node:vm";
import { programOf } from "./topLevelCases.mjs";

const require = createRequire(import.meta.url);
const ts = require("typescript");
const { CellCompiler } = require("../../kernel/lib/jupyter/compile/cellCompiler.js");
const { hooks } = require("../../kernel/lib/jupyter/compile/hooks.js");
const { Scope } = require("../../kernel/lib/jupyter/scope.js");

/** Programs a notebook: it grows with them. */
const perNotebook = 25;
/** Calls of log after which a program has failed to end. */
const mostCalls = 5000;

class EndlessError extends Error {}

let calls = [];
globalThis.log = (...values) => {
  if (calls.length > mostCalls) throw new EndlessError("endless");
  calls.push(values.map(String).join(" "));
};

export class Notebook {
  constructor() {
    this.compiler = new CellCompiler(ts, mkdtempSync(join(tmpdir(), "lutnn-fuzz-")));
    this.scope = new Scope();
    this.id = 0;
    globalThis[hooks.global] = {
      [hooks.result]: () => {},
      [hooks.blank]: this.scope.blank,
      [hooks.resume]: (value) => value,
      [hooks.resumeEach]: (items) => items,
    };
  }

  async run(code) {
    const { cell, diagnostics } = this.compiler.convert(++this.id, code);
    if (diagnostics.length > 0)
      throw new SyntaxError(diagnostics.map(({ messageText }) => messageText).join("; "));
    this.compiler.adopt(this.id);
    for (const name of cell.fresh) this.scope.blank(name);
    for (const name of cell.vars) this.scope.initialize(name);
    const body = vm.compileFunction(
      cell.code,
      cell.names.map((name) => cell.prefix + name),
    );
    await body(...cell.names.map((name) => this.scope.box(name)));
  }
}

/** What an error is to be compared by: its words hold names of variables where they are the language's own. */
const known = (error) =>
  error instanceof Error && /^(thrown|large)/.test(error.message) ? String(error) : error?.constructor?.name;

async function observed(work) {
  calls = [];
  let failure = "none";
  try {
    await work();
  } catch (error) {
    failure = known(error);
    if (error instanceof SyntaxError) failure = String(error);
  }
  return { calls, failure };
}

export async function compare(notebook, seed) {
  const { cells, snap } = programOf(seed);
  const inCells = await observed(async () => {
    await notebook.run("declare function log(...values: unknown[]): void;");
    try {
      for (const cell of cells) await notebook.run(cell);
    } finally {
      calls.push("end");
      await notebook.run(`${snap}();`).catch((error) => calls.push(known(error)));
    }
  });
  if (inCells.failure.startsWith("SyntaxError")) return { seed, cells, refused: inCells.failure };
  const text = `(async () => { "use strict"; ${cells[0]}\ntry { ${cells.slice(1).join("\n")}\n} finally { __end(); ${snap}(); } })`;
  globalThis.__end = () => calls.push("end");
  const plain = ts.transpile(text, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext });
  const inFunction = await observed(() => vm.runInThisContext(plain)());
  // Of programs that do not end, the beginning counts.
  for (const each of [inCells, inFunction])
    if (each.failure === "EndlessError") each.calls.length = Math.min(each.calls.length, mostCalls);
  const differs =
    inCells.failure !== inFunction.failure || inCells.calls.join("\n") !== inFunction.calls.join("\n");
  return { seed, cells, differs, inCells, inFunction };
}

if (process.argv[1] === import.meta.filename) {
  const [runs = 500, first = 1] = process.argv.slice(2).map(Number);
  const counts = { refused: 0, failed: 0, different: 0 };
  let notebook;
  for (let run = 0; run < runs; run++) {
    if (run % perNotebook === 0) notebook = new Notebook();
    const result = await compare(notebook, first + run);
    if (result.refused) {
      counts.refused++;
      if (process.env.SHOW) console.log(result.seed, result.refused);
    } else if (result.differs) {
      counts.different++;
      console.log(`seed ${result.seed} differs:\n${result.cells.join("\n--\n")}`);
      const { inCells, inFunction } = result;
      const at = inCells.calls.findIndex((each, index) => each !== inFunction.calls[index]);
      console.log("in cells  ", inCells.failure, inCells.calls[at]);
      console.log("in function", inFunction.failure, inFunction.calls[at]);
      if (counts.different > 5) break;
    } else if (result.inCells.failure !== "none") counts.failed++;
  }
  console.log(runs, counts);
}
