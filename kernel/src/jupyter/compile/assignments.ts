import type typescript from "typescript";
import { expectAssignment, exportedOf, localsOf, type Ts } from "./compilerApi";
import { isAssignedTo } from "./scopes";

/**
 * Tells the compiler that other cells assign to a file's variables: it would take one that nothing in the file assigns to
 * for one without a value, in all that reads it.
 * @param isNewest the cell is being compiled: what is known of a variable that it does assign to, counts
 */
export function expectAssignments(ts: Ts, file: typescript.SourceFile, isNewest: boolean): void {
  const assigned = new Set<string>();
  const visit = (node: typescript.Node): void => {
    if (ts.isIdentifier(node) && isAssignedTo(ts, node)) assigned.add(node.text);
    ts.forEachChild(node, visit);
  };
  const variables = [...(localsOf(file)?.values() ?? [])].filter(
    ({ flags }) => (flags & ts.SymbolFlags.BlockScopedVariable) !== 0,
  );
  const lacking = variables.filter(({ valueDeclaration }) => lacksValue(ts, valueDeclaration));
  if (isNewest && lacking.length > 0) visit(file);
  for (const symbol of isNewest ? lacking : variables)
    if (!assigned.has(symbol.name)) expectAssignment(exportedOf(symbol));
}

const lacksValue = (ts: Ts, declaration: typescript.Declaration | undefined): boolean =>
  declaration !== undefined && ts.isVariableDeclaration(declaration) && !declaration.initializer;
