// Cells whose names are declared with the types that they were found to have, or without: where types follow from each
// other from cell to cell in very many steps, the compiler would follow all of them again with every further cell.
import type typescript from "typescript";
import type { CellFile } from "./cellFiles";
import { exportedOf, localsOf, type Ts } from "./compilerApi";

/** Steps from cell to cell. Each cell that mentions the last takes up to a fifth of a second then. */
const mostSteps = 300;
/** Characters of a type that is written out. */
const longestType = 20_000;
/** As many as a type may have parameters. */
const parameters = Array.from({ length: 8 }, (_, index) => `P${index} = any`).join(", ");

/** The cells to be settled: the older half of the longest chain, once that is too long. @param cells oldest first */
export function cellsToSettle(cells: readonly CellFile[]): CellFile[] {
  const depths = new Map<CellFile, number>();
  let deepest: CellFile | undefined;
  for (const cell of cells) {
    const below = [...cell.needs].map((other) => depths.get(other) ?? -1);
    const depth = cell.isSettled ? 0 : 1 + Math.max(-1, ...below);
    depths.set(cell, depth);
    if (depth > (deepest ? (depths.get(deepest) ?? 0) : mostSteps)) deepest = cell;
  }
  if (!deepest) return [];
  const limit = (depths.get(deepest) ?? 0) - mostSteps / 2;
  const chain = new Set([deepest]);
  for (const cell of chain) for (const other of cell.needs) if (depths.has(other)) chain.add(other);
  return [...chain].filter((cell) => {
    const depth = depths.get(cell) ?? 0;
    return depth > 0 && depth <= limit && cell.augmentations.size === 0;
  });
}

/**
 * The cell's names, declared with their types written out: those of variables and functions as they are, others as any.
 * Null where that would change what code is made of later cells.
 */
export function settledText(ts: Ts, checker: typescript.TypeChecker, cell: CellFile): string | null {
  const { linked, values, types } = cell;
  if (!linked) return null;
  const lines: string[] = [];
  for (const [key, local] of localsOf(linked) ?? []) {
    const symbol = exportedOf(local);
    // The values of a constant enum stand in the code, a namespace may go on, and an import is one step only.
    if (symbol.flags & (ts.SymbolFlags.Enum | ts.SymbolFlags.Namespace | ts.SymbolFlags.Alias)) return null;
    const name = ts.unescapeLeadingUnderscores(key);
    const keyword = isVariable(ts, symbol) ? "let" : "const";
    if (values.has(name)) lines.push(`declare ${keyword} ${name}: ${typeText(ts, checker, symbol)};`);
  }
  const named = [...types].map((name) => `type ${name}<${parameters}> = any;`);
  return [...lines, ...named, "export {};"].join("\n");
}

function typeText(ts: Ts, checker: typescript.TypeChecker, symbol: typescript.Symbol): string {
  // It would be said to be its own type.
  if (symbol.flags & ts.SymbolFlags.Class) return "any";
  const { NoTruncation, UseAliasDefinedOutsideCurrentScope } = ts.TypeFormatFlags;
  const flags = NoTruncation | UseAliasDefinedOutsideCurrentScope;
  const text = checker.typeToString(checker.getTypeOfSymbol(symbol), undefined, flags);
  return text.length > longestType ? "any" : text;
}

const isVariable = (ts: Ts, { flags, declarations = [] }: typescript.Symbol): boolean =>
  (flags & ts.SymbolFlags.Variable) !== 0 &&
  declarations.every((each) => (ts.getCombinedNodeFlags(each) & ts.NodeFlags.Const) === 0);
