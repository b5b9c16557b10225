// The one file that knows tslab's inner modules (pinned to 1.0.22). Its converter (TypeScript to JavaScript, given the
// declarations of earlier cells) works on the compile thread, its executor on the main thread. Neither is changed;
// they are loaded with substitutes for some modules that they require.
import Module, { createRequire } from "node:module";
import { dirname } from "node:path";
import type typescript from "@tslab/typescript-for-tslab";

const tslab = createRequire(require.resolve("tslab/package.json"));
const typescriptName = "@tslab/typescript-for-tslab";

export const typescriptVersion: string = tslab(`${typescriptName}/package.json`).version;
export const typescriptFile: string = tslab.resolve(typescriptName);

/** tslab's converter and what goes with it, working with this compiler. */
export function loadConverter(compiler: typeof typescript) {
  return withSubstitutes({ [typescriptName]: compiler }, () => {
    const converter: typeof import("tslab/dist/converter") = tslab("./dist/converter.js");
    const metadata: typeof import("tslab/dist/metadata") = tslab("./dist/metadata.js");
    const inspect: typeof import("tslab/dist/inspect") = tslab("./dist/inspect.js");
    return { ...converter, ...metadata, ...inspect };
  });
}

/** What the executor calls in place of Node's own. */
export interface ExecutorModules {
  /** `runInThisContext`; cells come with options. */
  vm: { runInThisContext(code: string, options?: object): unknown };
  module: typeof Module;
}

/** What `display` of tslab's public API calls. */
export type TslabDisplay = (
  content: { data: object; metadata: object; transient: object },
  update: boolean,
) => void;

/** tslab's executor and its public API, which must not load the compiler: cells come here compiled. */
export function loadExecutor({ vm, module }: ExecutorModules, display: TslabDisplay) {
  const substitutes = {
    vm,
    module,
    "./metadata": { getCodeMetadata: () => ({}) },
    "./converter": {},
    [typescriptName]: { version: typescriptVersion },
  };
  return withSubstitutes(substitutes, () => {
    const { createExecutor }: typeof import("tslab/dist/executor") = tslab("./dist/executor.js");
    tslab("./dist/public.js");
    Reflect.set(tslab("./dist/jupyter.js"), "lastWriteDisplayData", display);
    return createExecutor;
  });
}

type Load = (id: string, parent?: { filename: string }, isMain?: boolean) => unknown;

/** Loads modules of tslab; what they require is replaced where there is a substitute. */
function withSubstitutes<T>(substitutes: Record<string, unknown>, load: () => T): T {
  const folder = dirname(tslab.resolve("./dist/converter.js"));
  const plain: Load = Reflect.get(Module, "_load");
  const substituting: Load = (id, parent, isMain) =>
    parent && dirname(parent.filename) === folder && id in substitutes
      ? substitutes[id]
      : plain(id, parent, isMain);
  Reflect.set(Module, "_load", substituting);
  try {
    return load();
  } finally {
    Reflect.set(Module, "_load", plain);
  }
}
