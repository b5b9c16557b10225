// What `import` finds at run time: first what the notebook's folder offers, then what this package was installed with.
import { existsSync, readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, extname, join } from "node:path";
import vm from "node:vm";

const slowImports = /\b(?:from|import|require)\s*\(?\s*["'](lutnn|@tensorflow\/tfjs(?:-node)?)["']/g;

type Load = (id: string) => unknown;

const own = createRequire(__filename);
const isBare = (id: string) => !/^([./]|[a-zA-Z]:|file:)/.test(id);

export class NotebookModules {
  /** ES modules that were imported ahead, by folder and specifier, for code that was compiled to `require`. */
  private readonly namespaces = new Map<string, object>();

  /** `require` for code in `folder`; `plain` is Node's own. */
  require(folder: string, id: string, plain: Load): unknown {
    const namespace = this.namespaces.get(keyOf(folder, id));
    if (namespace) return namespace;
    try {
      return plain(id);
    } catch (error) {
      if (!isBare(id) || !isMissing(error, id) || !resolves(own, id)) throw error;
      return own(id);
    }
  }

  /** Loads the ES modules among these, which `require` could not: code in `folder` is about to require them. */
  async importAhead(folder: string, ids: readonly string[]): Promise<void> {
    const missing = ids.filter((id) => !isBuiltin(id) && !this.namespaces.has(keyOf(folder, id)));
    for (const id of missing.filter((each) => isEsModule(folder, each))) {
      const namespace = await this.import(folder, id);
      // TypeScript's helpers take an object with this mark as the module itself.
      const marked = Object.create(namespace, { __esModule: { value: true } });
      this.namespaces.set(keyOf(folder, id), marked);
    }
  }

  /**
   * Loads the slow libraries that this code imports, while it is being compiled on another thread. Only libraries that
   * do nothing when they are loaded are listed; a failure shows once the code itself requires the library.
   */
  preload(folder: string, code: string): void {
    for (const [, id] of code.matchAll(slowImports))
      try {
        this.require(folder, id, createRequire(join(folder, "notebook.js")));
      } catch {
        // The cell will say so.
      }
  }

  /** `import(id)` in code in `folder`, whose `require` is given. */
  async load(folder: string, id: string, require: Load): Promise<object> {
    if (isEsModule(folder, id)) return this.import(folder, id);
    const loaded = require(id) as { __esModule?: boolean };
    return loaded?.__esModule ? loaded : { ...loaded, default: loaded };
  }

  private async import(folder: string, id: string): Promise<object> {
    const found = !isBare(id) || resolves(createRequire(join(folder, "notebook.js")), id) !== false;
    return importFrom(found ? folder : __dirname, id);
  }
}

const keyOf = (folder: string, id: string) => `${folder}\0${id}`;

function isMissing(error: unknown, id: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "MODULE_NOT_FOUND" && message.startsWith(`Cannot find module '${id}'`);
}

/** The file that `require` would load; true where only `import` may load it; false where there is none. */
function resolves(require: NodeJS.Require, id: string): string | boolean {
  try {
    return require.resolve(id);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ERR_PACKAGE_PATH_NOT_EXPORTED";
  }
}

function isEsModule(folder: string, id: string): boolean {
  if (/^(data|https?):/.test(id)) return true;
  const found = resolves(createRequire(join(folder, "notebook.js")), id) || (isBare(id) && resolves(own, id));
  if (typeof found === "boolean") return found;
  if (extname(found) === ".mjs") return true;
  return extname(found) === ".js" && packageType(dirname(found)) === "module";
}

function packageType(folder: string): string | undefined {
  const file = join(folder, "package.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")).type;
  const parent = dirname(folder);
  return parent === folder ? undefined : packageType(parent);
}

/** Node's own import, as if it stood in a file in `folder`. */
function importFrom(folder: string, id: string): Promise<object> {
  const script = new vm.Script("(id) => import(id)", {
    filename: join(folder, "notebook.js"),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return withoutWarning(() => script.runInThisContext()(id));
}

/** Node says once that this way to import is experimental: that is the kernel's, not the notebook's. */
function withoutWarning<T>(work: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
