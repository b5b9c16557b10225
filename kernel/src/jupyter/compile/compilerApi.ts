// The TypeScript compiler's interface, with the little that its published types leave out.
import type typescript from "typescript";

export type Ts = typeof typescript & {
  /** Finds what every scope of a parsed file declares; see {@link localsOf}. */
  bindSourceFile(file: typescript.SourceFile, options: typescript.CompilerOptions): void;
};

/** What a scope declares, by escaped name. */
export type Locals = Map<typescript.__String, typescript.Symbol>;

/** What a bound node declares in the scope that it opens. */
export const localsOf = (node: typescript.Node): Locals | undefined =>
  (node as typescript.Node & { locals?: Locals }).locals;

/** The symbol that others see of an exported declaration: `export interface` has another one inside its file. */
export const exportedOf = (symbol: typescript.Symbol): typescript.Symbol =>
  (symbol as typescript.Symbol & { exportSymbol?: typescript.Symbol }).exportSymbol ?? symbol;

/** Every identifier that stands in a file, whatever it means. */
export const identifiersOf = (file: typescript.SourceFile): Iterable<string> =>
  (file as typescript.SourceFile & { identifiers: ReadonlyMap<string, string> }).identifiers.keys();

/** Errors of the parser. */
export const syntaxErrorsOf = (file: typescript.SourceFile): readonly typescript.Diagnostic[] =>
  (file as typescript.SourceFile & { parseDiagnostics: readonly typescript.Diagnostic[] }).parseDiagnostics;

/** Makes the compiler expect a variable to be assigned to from anywhere, at any time. */
export function expectAssignment(symbol: typescript.Symbol): void {
  // Where the compiler keeps the last assignment that it has seen: a negative one says that some are sure to be made.
  Reflect.set(symbol, "lastAssignmentPos", -Number.MAX_VALUE);
}

/** Makes names that are declared nowhere in `file` be looked up in `outer`, as if it stood around it. */
export function putInside(file: typescript.SourceFile, outer: typescript.SourceFile | undefined): void {
  Reflect.set(file, "parent", outer);
}

/** The file that {@link putInside} has put around this one. */
export const around = (file: typescript.SourceFile): typescript.SourceFile | undefined =>
  file.parent as typescript.Node as typescript.SourceFile | undefined;

/** Parses code as a module, where `await` may stand at the top level. */
export function parseModule(ts: Ts, text: string, kind: typescript.ScriptKind): typescript.SourceFile {
  const setExternalModuleIndicator = (file: typescript.SourceFile) =>
    Reflect.set(file, "externalModuleIndicator", true);
  const options = { languageVersion: ts.ScriptTarget.Latest, setExternalModuleIndicator };
  return ts.createSourceFile("cell.ts", text, options, true, kind);
}

/** How many nodes of a file lie inside each other; found without recursion, which the deepest would end. */
export function nestingOf(ts: Ts, file: typescript.SourceFile): number {
  let deepest = 0;
  for (let level: typescript.Node[] = [file]; level.length > 0; deepest++) {
    const next: typescript.Node[] = [];
    for (const node of level) ts.forEachChild(node, (child) => void next.push(child));
    level = next;
  }
  return deepest;
}
