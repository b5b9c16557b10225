// The one file that knows tslab's inner modules (pinned to 1.0.22), and the compiler that they work with: this
// workspace's TypeScript in place of tslab's fork, which is older. tslab says when a cell is complete and reads the tags in
// its comments; its public API shows what a cell displays. Cells are compiled by `compile/` and run by `cellRunner.ts`,
// since tslab's ways give each cell variables of its own.
import Module, { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Ts } from "./compile/compilerApi";

const tslab = createRequire(require.resolve("tslab/package.json"));
const own = createRequire(__filename);
const typescriptName = "@tslab/typescript-for-tslab";

export const typescriptVersion: string = own("typescript/package.json").version;
export const typescriptFile: string = own.resolve("typescript");

/** What tslab knows about a cell's text. */
export function loadConverter(compiler: Ts) {
  return withSubstitutes({ [typescriptName]: compiler }, () => {
    const { isCompleteCode }: typeof import("tslab/dist/converter") = tslab("./dist/converter.js");
    const { getCodeMetadata }: typeof import("tslab/dist/metadata") = tslab("./dist/metadata.js");
    return { isCompleteCode, getCodeMetadata };
  });
}

/** What `display` of tslab's public API calls. */
export type TslabDisplay = (
  content: { data: object; metadata: object; transient: object },
  update: boolean,
) => void;

/** What `import "tslab"` gives a cell; it must not load the compiler. */
export function loadPublicApi(display: TslabDisplay): object {
  return withSubstitutes({ "./converter": {}, [typescriptName]: { version: typescriptVersion } }, () => {
    const api: object = tslab("./dist/public.js");
    Reflect.set(tslab("./dist/jupyter.js"), "lastWriteDisplayData", display);
    return api;
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
