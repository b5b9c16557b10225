import Module from "node:module";
import { dirname, join } from "node:path";
import type { CompiledFile } from "./compile/messages";
import type { NotebookModules } from "./notebookModules";

/** Written at the end of an import, for each way in which a compiled file is called. */
const endings = ["", ".js", "/index.js"];

/** The notebook's own TypeScript files, compiled; each is evaluated when it is first required. */
export class HelperFiles {
  private readonly code = new Map<string, string>();
  private readonly loaded = new Map<string, Module>();

  constructor(private readonly modules: NotebookModules) {}

  /** Takes new versions of files; what was made of the old ones is forgotten. */
  update(files: readonly CompiledFile[]): void {
    for (const { path, code } of files) {
      this.code.set(path, code);
      this.loaded.delete(path);
    }
  }

  /** `require` for code in `folder`; `plain` is Node's own. */
  require(folder: string, id: string, plain: (id: string) => unknown): unknown {
    const path = this.find(folder, id);
    if (path === undefined) return this.modules.require(folder, id, plain);
    const known = this.loaded.get(path);
    return (known ?? this.load(path)).exports;
  }

  private find(folder: string, id: string): string | undefined {
    const path = join(folder, id).replaceAll("\\", "/");
    const plain = path.replace(/\.[cm]?[jt]sx?$/, "");
    return [...endings.map((ending) => path + ending), `${plain}.js`].find((each) => this.code.has(each));
  }

  private load(path: string): Module {
    const helpers = this;
    class HelperModule extends Module {
      override require(id: string): unknown {
        return helpers.require(dirname(this.filename), id, (plainId) => super.require(plainId));
      }
    }
    const module = new HelperModule(path, undefined);
    module.filename = path;
    module.paths = nodeModulePaths(dirname(path));
    // Before it is evaluated: files may require each other.
    this.loaded.set(path, module);
    try {
      compileInto(module, this.code.get(path) ?? "", path);
    } catch (error) {
      this.loaded.delete(path);
      throw error;
    }
    return module;
  }
}

const nodeModulePaths = (folder: string): string[] => Reflect.get(Module, "_nodeModulePaths")(folder);

function compileInto(module: Module, code: string, path: string): void {
  Reflect.get(module, "_compile").call(module, code, path);
}
