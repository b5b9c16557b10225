// The one file that knows tslab's inner modules (pinned to 1.0.22): its converter (TypeScript to JavaScript, given the
// declarations of earlier cells) and its executor. Neither is changed; they are loaded with substitutes for three
// modules that they require: the compiler, `vm` and `module`.
import Module, { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import vm from "node:vm";
import type { CompletionInfo, Converter, ConvertResult, Diagnostic } from "tslab/dist/converter";
import type { ConverterSet, Executor } from "tslab/dist/executor";
import { type Cell, InterruptedError } from "./cell";
import { hooks } from "./checkpoints";
import { Compiler, type Emitted } from "./compiler";
import { FileChanges } from "./fileChanges";
import { NotebookModules } from "./notebookModules";
import { addScript } from "./scripts";
import type { KernelZone } from "./zone";

export type { Diagnostic };

/** Characters. */
const longestTyped = 1 << 20;
/** TypeScript's number of this error: the text may go on over more lines. */
const unterminatedTemplate = 1160;

/** The cell's code does not compile. */
export class CompilationError extends Error {
  constructor(readonly diagnostics: Diagnostic[]) {
    super(diagnostics[0].messageText);
  }
}

/** Thrown out of the executor when a cell imports ES modules, which have to be loaded before its code starts. */
class ImportsAhead {
  constructor(readonly imports: { folder: string; id: string }[]) {}
}

export interface TslabOptions {
  /** The notebook's folder. */
  folder: string;
  zone: KernelZone;
  /** The cell whose code is running. */
  currentCell(): Cell | undefined;
  /** What `display` of tslab's own public API calls. */
  display(content: { data: object; metadata: object; transient: object }, update: boolean): void;
}

export class Tslab {
  private readonly compiler: Compiler;
  private readonly changes = new FileChanges();
  private readonly modules = new NotebookModules();
  private readonly inner: ReturnType<typeof loadInnerModules>;
  private readonly converter: Converter;
  private readonly executor: Executor;
  /** Modules that cells define with `@module`. */
  private readonly virtualFiles = new Set<string>();
  /** What is compiled and about to run. */
  private pending: Emitted | undefined;
  /** A conversion whose imports have to be loaded first: it is not made twice. */
  private kept: { declarations: string; source: string; result: ConvertResult } | undefined;

  constructor(private readonly options: TslabOptions) {
    const tslab = createRequire(require.resolve("tslab/package.json"));
    const { folder, currentCell } = options;
    this.compiler = new Compiler(tslab("@tslab/typescript-for-tslab"), folder, this.changes);
    this.inner = loadInnerModules(tslab, {
      "@tslab/typescript-for-tslab": this.compiler.facade,
      vm: {
        runInThisContext: (code: string, cellOptions?: object) => this.run(code, cellOptions !== undefined),
      },
      module: this.modules.moduleClass(),
    });
    this.converter = this.inner.createConverter({ isJS: false, isBrowser: false });
    const node: Converter = {
      ...this.converter,
      convert: (declarations, source) => this.convert(declarations, source),
      addModule: (name, source, metadata) => {
        this.virtualFiles.add(name);
        return checked(this.converter.addModule(name, source, metadata));
      },
    };
    const converters: ConverterSet = { node, browser: node, close: () => this.converter.close() };
    this.executor = this.inner.createExecutor(folder, converters, {
      log: (value) => {
        const cell = currentCell();
        if (cell) cell.lastValue = value;
      },
      error: (error) => {
        const cell = currentCell();
        if (cell) cell.failure = { error };
      },
    });
    Object.assign(Reflect.get(globalThis, hooks.global), {
      [hooks.resume]: (value: unknown) => {
        const cell = currentCell();
        return cell ? cell.resume(value) : value;
      },
      [hooks.resumeEach]: (items: AsyncIterable<unknown>) => {
        const cell = currentCell();
        return cell ? cell.resumeEach(items) : items;
      },
      [hooks.load]: (id: unknown, require: NodeJS.Require) => this.modules.load(folder, String(id), require),
    });
    this.inner.setDisplay(options.display);
  }

  /** Runs a cell, which is left with its last value or its failure; rejects with what kept it from starting. */
  async execute(cell: Cell): Promise<void> {
    for (;;) {
      try {
        await this.executor.execute(cell.code);
        return;
      } catch (error) {
        if (!(error instanceof ImportsAhead)) throw error;
        const imports = error.imports.map(({ folder, id }) => this.modules.importAhead(folder, id));
        await cell.resume(Promise.all(imports));
      }
    }
  }

  /** Offsets are in UTF-16 units. */
  complete(source: string, offset: number): CompletionInfo {
    this.changes.check();
    return this.executor.complete(source, offset);
  }

  /** The text about what stands at the offset (in UTF-16 units), or null. */
  inspect(source: string, offset: number): string | null {
    this.changes.check();
    // The declared type is wrong: there is no information about white space.
    const info: ReturnType<Executor["inspect"]> | undefined = this.executor.inspect(source, offset);
    return info ? this.inner.printQuickInfo(info) : null;
  }

  /**
   * Whether the code could be run as it stands. As in tslab, an empty last line ends it in any case; `unknown` is the
   * answer about code that is too long to be typed.
   */
  isComplete(
    source: string,
  ): { status: "complete" | "invalid" | "unknown" } | { status: "incomplete"; indent: string } {
    if (source.length > longestTyped) return { status: "unknown" };
    const { completed, indent } = this.inner.isCompleteCode(source);
    if (!completed) return { status: "incomplete", indent: indent ?? "" };
    const errors = this.compiler.syntaxErrors(source);
    if (errors.includes(unterminatedTemplate)) return { status: "incomplete", indent: "" };
    return { status: errors.length === 0 ? "complete" : "invalid" };
  }

  /** Stands for the converter's own `convert` in the executor. */
  private convert(declarations: string, source: string): ConvertResult {
    const { kept } = this;
    this.kept = undefined;
    if (kept?.declarations === declarations && kept.source === source) return kept.result;
    const { zone, folder } = this.options;
    const result = zone.run(() => {
      this.changes.check();
      return this.converter.convert(declarations, source);
    });
    checked(result.diagnostics);
    if (zone.takeInterrupt()) throw new InterruptedError();
    this.pending = this.compiler.take(result.output ?? "");
    const needed = (this.pending?.imports ?? []).map((id) => ({ folder, id }));
    for (const { path, data } of result.sideOutputs ?? []) {
      const emitted = this.compiler.take(data);
      if (!emitted) continue;
      const extraLines = this.virtualFiles.has(relative(folder, path).replace(/\.js$/, "")) ? 1 : 0;
      addScript({ ...emitted, name: path, title: sourceTitle(emitted, path), firstColumn: 0, extraLines });
      needed.push(...emitted.imports.map((id) => ({ folder: dirname(path), id })));
    }
    const imports = needed.filter((each) => this.modules.needsImport(each.folder, each.id));
    if (imports.length === 0) return result;
    this.kept = { declarations, source, result };
    throw new ImportsAhead(imports);
  }

  /** Stands for `vm.runInThisContext` in the executor. */
  private run(code: string, isCell: boolean): unknown {
    if (!isCell) return vm.runInThisContext(code);
    const cell = this.options.currentCell();
    const name = cell?.title ?? "cell";
    if (this.pending)
      addScript({
        ...this.pending,
        source: cell?.code ?? "",
        name,
        title: name,
        firstColumn: code.indexOf("{ ") + 2,
        extraLines: 1,
      });
    const importModuleDynamically = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    return vm.runInThisContext(code, { filename: name, importModuleDynamically });
  }
}

function checked(diagnostics: Diagnostic[]): Diagnostic[] {
  if (diagnostics.length > 0) throw new CompilationError(diagnostics);
  return diagnostics;
}

/** A helper file as its user calls it: its own name, with the extension that it has on disk. */
function sourceTitle(emitted: Emitted, path: string): string {
  const sources: string[] = JSON.parse(emitted.maps.at(-1) ?? "{}").sources ?? [];
  return join(dirname(path), (sources[0] ?? path).replace(/^.*\//, ""));
}

function loadInnerModules(tslab: NodeJS.Require, substitutes: Record<string, unknown>) {
  const folder = dirname(tslab.resolve("./dist/converter.js"));
  const load: (id: string, parent?: { filename: string }, isMain?: boolean) => unknown = Reflect.get(
    Module,
    "_load",
  );
  Reflect.set(Module, "_load", (id: string, parent?: { filename: string }, isMain?: boolean) =>
    parent && dirname(parent.filename) === folder && id in substitutes
      ? substitutes[id]
      : load(id, parent, isMain),
  );
  try {
    const { createConverter, isCompleteCode }: typeof import("tslab/dist/converter") =
      tslab("./dist/converter.js");
    const { createExecutor }: typeof import("tslab/dist/executor") = tslab("./dist/executor.js");
    const { printQuickInfo }: typeof import("tslab/dist/inspect") = tslab("./dist/inspect.js");
    const jupyter: typeof import("tslab/dist/jupyter") = tslab("./dist/jupyter.js");
    const setDisplay = (display: TslabOptions["display"]) =>
      Reflect.set(jupyter, "lastWriteDisplayData", display);
    return { createConverter, createExecutor, printQuickInfo, isCompleteCode, setDisplay };
  } finally {
    Reflect.set(Module, "_load", load);
  }
}
