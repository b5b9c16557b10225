import { dirname } from "node:path";
import vm from "node:vm";
import type { Converter } from "tslab/dist/converter";
import type { Executor } from "tslab/dist/executor";
import type { Cell } from "./cell";
import { hooks } from "./compile/checkpoints";
import type { Conversion } from "./compile/messages";
import type { CompilerLink } from "./compilerLink";
import { NotebookModules } from "./notebookModules";
import { addScript } from "./scripts";
import { loadExecutor, type TslabDisplay } from "./tslab";

export interface CellRunnerOptions {
  /** The notebook's folder. */
  folder: string;
  compiler: CompilerLink;
  /** The cell whose code is running. */
  currentCell(): Cell | undefined;
  display: TslabDisplay;
  /** Called as soon as a cell's code has run or failed, before anything else. */
  afterCode(): void;
}

/** Runs cells with tslab's executor, on this thread. */
export class CellRunner {
  private readonly modules = new NotebookModules();
  private readonly executor: Executor;
  /** What is compiled and about to run. */
  private next: (Conversion & { id: number }) | undefined;
  /** What was started last. */
  private newest: Cell | undefined;
  /** Names of the values that cells have declared so far. */
  private values: string[] = [];
  /** Of each cell: the names that had no value when it started. */
  private readonly valueless = new WeakMap<Cell, Set<string>>();

  constructor(private readonly options: CellRunnerOptions) {
    const { folder, currentCell, display } = options;
    const createExecutor = loadExecutor(
      {
        vm: { runInThisContext: (code, forCell) => (forCell ? this.run(code) : vm.runInThisContext(code)) },
        module: this.modules.moduleClass(),
      },
      display,
    );
    const converter = this.converter();
    this.executor = createExecutor(
      folder,
      { node: converter, browser: converter, close: () => {} },
      {
        log: (value) => {
          const cell = currentCell();
          if (cell) cell.lastValue = value;
        },
        error: (error) => {
          const cell = currentCell();
          if (cell) cell.failure = { error };
        },
      },
    );
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
  }

  /** Runs a cell, which is left with its last value or its failure; rejects with what kept it from starting. */
  async execute(cell: Cell): Promise<void> {
    const { folder, compiler } = this.options;
    const compiling = compiler.convert(cell.code);
    this.modules.preload(folder, cell.code);
    const conversion = await cell.resume(compiling);
    const files = conversion.files.map(({ path, emitted }) => ({
      folder: dirname(path),
      ids: emitted.imports,
    }));
    const importing = [{ folder, ids: conversion.emitted?.imports ?? [] }, ...files];
    await cell.resume(Promise.all(importing.map((each) => this.modules.importAhead(each.folder, each.ids))));
    this.next = conversion;
    this.newest = cell;
    try {
      await this.executor.execute(cell.code);
      this.options.afterCode();
      const { lastExpressionVar: last } = conversion;
      // The executor passes over this value.
      if (last && this.executor.locals[last] === null) cell.lastValue = null;
    } finally {
      // The executor lets every asynchronous cell race against one promise for all, which would keep what belongs to
      // each until it is settled. This settles it, and makes a new one; but a cell that was given up must not, which
      // may end while another one runs.
      if (this.newest === cell) this.executor.interrupt();
    }
  }

  /** The cell has failed or was interrupted: what it declared and gave no value to is not declared. */
  failed(cell: Cell): void {
    const before = this.valueless.get(cell);
    if (!before) return;
    const lost = this.namesWithoutValue().filter((name) => !before.has(name));
    this.values = this.values.filter((name) => !lost.includes(name));
    if (lost.length > 0) this.options.compiler.forget(lost);
  }

  /** What the executor takes for a converter: it gets what has been compiled already. */
  private converter(): Converter {
    const unused = () => {
      throw new Error("the compile thread does this");
    };
    return {
      convert: () => {
        const { diagnostics = [], files = [], ...conversion } = this.next ?? {};
        return { ...conversion, diagnostics, sideOutputs: files };
      },
      addModule: () => [],
      complete: unused,
      inspect: unused,
      close: () => {},
    };
  }

  /** Stands for `vm.runInThisContext` in the executor. */
  private run(code: string): unknown {
    const { next } = this;
    const cell = this.options.currentCell();
    // A function's body, since V8 keeps every script that it has compiled, until it runs out of memory.
    const text = `return ${code}`;
    const name = cell?.title ?? "cell";
    if (cell) this.valueless.set(cell, new Set(this.namesWithoutValue()));
    if (next) {
      const { id, emitted, files, values } = next;
      this.values = values;
      this.options.compiler.adopt(id);
      for (const { path, title, emitted: file, extraLines } of files)
        addScript({ ...file, name: path, title, firstColumn: 0, extraLines });
      const firstColumn = text.indexOf("{ ") + 2;
      if (emitted)
        addScript({ ...emitted, source: cell?.code ?? "", name, title: name, firstColumn, extraLines: 1 });
    }
    const importModuleDynamically = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    const body = vm.compileFunction(text, [], { filename: name, importModuleDynamically });
    try {
      return body();
    } finally {
      this.options.afterCode();
    }
  }

  private namesWithoutValue(): string[] {
    return this.values.filter((name) => this.executor.locals[name] === undefined);
  }
}
