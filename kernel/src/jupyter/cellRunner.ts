import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import type { Cell } from "./cell";
import { hooks } from "./compile/hooks";
import type { CompiledCell } from "./compile/messages";
import type { CompilerLink } from "./compilerLink";
import { HelperFiles } from "./helperFiles";
import { NotebookModules } from "./notebookModules";
import { type Bindings, Scope } from "./scope";
import { addScript } from "./scripts";
import { loadPublicApi, type TslabDisplay } from "./tslab";

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

/** Runs cells on this thread, all in one scope. */
export class CellRunner {
  private readonly modules = new NotebookModules();
  private readonly files = new HelperFiles(this.modules);
  private readonly scope = new Scope();
  private readonly require: NodeJS.Require;
  /** Of each cell: what the names that it declares held when it started. */
  private readonly before = new WeakMap<Cell, Map<string, unknown>>();

  constructor(private readonly options: CellRunnerOptions) {
    const { folder, currentCell, display } = options;
    const file = join(folder, "notebook.ts");
    const plain = createRequire(file);
    const tslab = loadPublicApi(display);
    const load = (id: string) => (id === "tslab" ? tslab : this.files.require(folder, id, plain));
    this.require = Object.assign(load, plain);
    const functions = {
      [hooks.result]: (value: unknown) => {
        const cell = currentCell();
        if (cell) cell.lastValue = value;
      },
      [hooks.bind]: (loaded: unknown, bindings: Bindings, id: string) =>
        this.scope.bind(loaded, bindings, id.startsWith(".")),
      [hooks.blank]: this.scope.blank,
      [hooks.resume]: (value: unknown) => {
        const cell = currentCell();
        return cell ? cell.resume(value) : value;
      },
      [hooks.resumeEach]: (items: AsyncIterable<unknown>) => {
        const cell = currentCell();
        return cell ? cell.resumeEach(items) : items;
      },
      [hooks.load]: (id: unknown, require: NodeJS.Require) => this.modules.load(folder, String(id), require),
      [hooks.meta]: {
        url: pathToFileURL(file).href,
        filename: file,
        dirname: folder,
        resolve: (id: string) => pathToFileURL(plain.resolve(id)).href,
      },
    };
    Object.defineProperty(globalThis, hooks.global, { value: Object.freeze(functions) });
  }

  /** Runs a cell, which is left with its last value; rejects with its failure, or with what kept it from starting. */
  async execute(cell: Cell): Promise<void> {
    const { folder, compiler } = this.options;
    const compiling = compiler.convert(cell.code);
    this.modules.preload(folder, cell.code);
    const { id, cell: compiled, files, notices, declared } = await cell.resume(compiling);
    for (const notice of notices) process.stderr.write(`${notice}\n`);
    this.files.update(files);
    for (const file of files) addScript({ ...file, name: file.path });
    if (!compiled) return;
    const importing = [
      { folder, ids: compiled.imports },
      ...files.map(({ path, imports }) => ({ folder: dirname(path), ids: imports })),
    ];
    await cell.resume(Promise.all(importing.map((each) => this.modules.importAhead(each.folder, each.ids))));
    this.before.set(cell, new Map(declared.map((name) => [name, this.scope.peek(name)])));
    compiler.adopt(id);
    addScript({ ...compiled, source: cell.code, name: cell.title, title: cell.title });
    try {
      await this.run(compiled, cell.title);
    } finally {
      this.options.afterCode();
    }
  }

  /** The notebook's expression for a value; null where no variable holds it. */
  nameOf = (value: object): string | null => this.scope.nameOf(value);

  /** The cell has failed or was interrupted: what it declared and did not get to is not declared. */
  failed(cell: Cell): void {
    const before = this.before.get(cell);
    if (!before) return;
    const unchanged = [...before].filter(([name, value]) => Object.is(this.scope.peek(name), value));
    // A variable that holds the very value of an earlier declaration is as that one says.
    if (unchanged.length > 0) this.options.compiler.forget(unchanged.map(([name]) => name));
  }

  /** @returns the code's promise, if it awaits something */
  private run({ code, prefix, names, vars, fresh }: CompiledCell, title: string): unknown {
    for (const name of fresh) this.scope.blank(name);
    for (const name of vars) this.scope.initialize(name);
    // A function's body, since V8 keeps every script that it has compiled, until it runs out of memory.
    const module = { exports: {} };
    const { folder } = this.options;
    const surroundings = {
      require: this.require,
      exports: module.exports,
      module,
      __dirname: folder,
      __filename: join(folder, "notebook.ts"),
    };
    const parameters = [...names.map((name) => prefix + name), ...Object.keys(surroundings)];
    const importModuleDynamically = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    const body = vm.compileFunction(code, parameters, { filename: title, importModuleDynamically });
    try {
      return body(...names.map((name) => this.scope.box(name)), ...Object.values(surroundings));
    } finally {
      this.options.afterCode();
    }
  }
}
