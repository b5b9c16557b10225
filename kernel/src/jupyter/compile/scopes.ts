// What a name in JavaScript refers to: found by the scopes that the compiler's binder has made.
import type typescript from "typescript";
import { localsOf, type Ts } from "./compilerApi";

/** Declared at the file's top level, or inside something, or nowhere in the file. */
export type Place = "top" | "inner" | "free";

/** @param node where the name stands, in a bound file with parents */
export function placeOf(ts: Ts, name: string, node: typescript.Node): Place {
  const key = ts.escapeLeadingUnderscores(name);
  let child = node;
  for (let at = node.parent; ; child = at, at = at.parent) {
    if (ts.isSourceFile(at)) return localsOf(at)?.has(key) ? "top" : "free";
    // Inside its body a class keeps its own name, whatever becomes of the variable outside.
    if ((ts.isClassLike(at) || ts.isFunctionExpression(at)) && at.name?.text === name && child !== at.name)
      return "inner";
    const symbol = localsOf(at)?.get(key);
    if (symbol && !(ts.isParameter(child) && !isParameterOf(ts, symbol))) return "inner";
  }
}

/** Default values of parameters see parameters, but not what the body declares. */
const isParameterOf = (ts: Ts, symbol: typescript.Symbol): boolean =>
  (symbol.declarations ?? []).some((declaration) => {
    let root: typescript.Node = declaration;
    while (ts.isBindingElement(root)) root = root.parent.parent;
    return ts.isParameter(root);
  });

/** True for identifiers that stand for a variable's value, or for the variable that is assigned to. */
export function isReference(ts: Ts, node: typescript.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isMetaProperty(parent)) return parent.name !== node;
  if (ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent)) return parent.name !== node;
  if (ts.isMethodDeclaration(parent) || ts.isAccessor(parent)) return false;
  if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent)) return false;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  if (ts.isVariableDeclaration(parent) || ts.isParameter(parent)) return parent.initializer === node;
  if (ts.isFunctionLike(parent) || ts.isClassLike(parent)) return !("name" in parent && parent.name === node);
  return !ts.isImportSpecifier(parent) && !ts.isExportSpecifier(parent);
}

/** The identifiers that a declaration's name declares: one, or those of a pattern. */
export function declaredNames(ts: Ts, name: typescript.BindingName): typescript.Identifier[] {
  if (ts.isIdentifier(name)) return [name];
  return name.elements.flatMap((element) =>
    ts.isOmittedExpression(element) ? [] : declaredNames(ts, element.name),
  );
}

/** True where an assignment gives its value the variable's name. */
export function isAnonymousFunction(ts: Ts, node: typescript.Expression): boolean {
  let inner = node;
  while (ts.isParenthesizedExpression(inner)) inner = inner.expression;
  return (
    ts.isArrowFunction(inner) ||
    ((ts.isFunctionExpression(inner) || ts.isClassExpression(inner)) && !inner.name)
  );
}

/** True for identifiers that an assignment, an increment or a loop gives a value; patterns left aside. */
export function isAssignedTo(ts: Ts, node: typescript.Identifier): boolean {
  const { parent } = node;
  if (ts.isBinaryExpression(parent))
    return parent.left === node && isAssignment(ts, parent.operatorToken.kind);
  if (ts.isForOfStatement(parent)) return parent.initializer === node;
  return isStep(ts, parent);
}

/** True for identifiers that get a value inside a pattern, in brackets or in the head of a loop. */
export function isAssignedAround(ts: Ts, node: typescript.Identifier): boolean {
  let child: typescript.Node = node;
  for (let at = node.parent; ; child = at, at = at.parent) {
    if (ts.isForOfStatement(at) || ts.isForInStatement(at)) return at.initializer === child;
    if (ts.isBinaryExpression(at)) {
      if (at.left !== child || !isAssignment(ts, at.operatorToken.kind)) return false;
      // Otherwise what may be a pattern's default, whose own value is assigned further out.
      if (child !== node) return true;
    } else if (isStep(ts, at)) return child !== node;
    else if (ts.isPropertyAssignment(at) && at.initializer !== child) return false;
    else if (
      !ts.isParenthesizedExpression(at) &&
      !ts.isArrayLiteralExpression(at) &&
      !ts.isObjectLiteralExpression(at) &&
      !ts.isPropertyAssignment(at) &&
      !ts.isShorthandPropertyAssignment(at) &&
      !ts.isSpreadElement(at) &&
      !ts.isSpreadAssignment(at)
    )
      return false;
  }
}

/** `x++`, `--x` and so on. */
export const isStep = (
  ts: Ts,
  node: typescript.Node,
): node is typescript.PrefixUnaryExpression | typescript.PostfixUnaryExpression =>
  (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) &&
  (node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken);

/** Code that does not run where it stands. */
export const runsLater = (ts: Ts, node: typescript.Node): boolean =>
  ts.isFunctionLike(node) || ts.isPropertyDeclaration(node) || ts.isClassStaticBlockDeclaration(node);

export const isAssignment = (ts: Ts, kind: typescript.SyntaxKind): boolean =>
  kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
