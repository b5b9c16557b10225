// A namespace goes on in another cell: the compiler, for which cells are files, is told of what it has there already.
import type typescript from "typescript";
import { exportedOf, localsOf, type Ts } from "./compilerApi";

type Finder = (name: string) => typescript.Symbol | undefined;

/** What namespaces of a cell got from earlier cells: symbols, each with the namespace's name. */
export type Continued = ReadonlyMap<typescript.Symbol, string>;

/**
 * Lets each namespace of the file begin with what `earlier` says of its name: the members that the cell does not declare
 * anew, and what the name is besides (a class, a function, an enum).
 */
export function continueNamespaces(ts: Ts, file: typescript.SourceFile, earlier: Finder): Continued {
  const { SymbolFlags } = ts;
  const continued = new Map<typescript.Symbol, string>();
  for (const [key, symbol] of localsOf(file) ?? []) {
    const own = exportedOf(symbol);
    if (!isOnlyNamespace(ts, own)) continue;
    const name = ts.unescapeLeadingUnderscores(key);
    const found = earlier(name);
    const before = found && exportedOf(found);
    if (!before || !canContinue(ts, before)) continue;
    own.exports ??= new Map() as typescript.SymbolTable;
    for (const [member, each] of before.exports ?? [])
      if (member !== "prototype" && !own.exports.has(member)) {
        own.exports.set(member, each);
        continued.set(each, name);
      }
    const kinds = SymbolFlags.Class | SymbolFlags.Function | SymbolFlags.RegularEnum;
    if ((before.flags & kinds) === 0) continue;
    own.flags |= before.flags;
    own.members = before.members;
    own.valueDeclaration = before.valueDeclaration;
    own.declarations = [...(before.declarations ?? []), ...(own.declarations ?? [])];
  }
  return continued;
}

/** Names of the file's declarations that do not go on with what was there: `enum`, and `namespace` after a variable. */
export function freshNames(ts: Ts, file: typescript.SourceFile, earlier: Finder): string[] {
  const fresh: string[] = [];
  for (const [key, symbol] of localsOf(file) ?? []) {
    const own = exportedOf(symbol);
    const name = ts.unescapeLeadingUnderscores(key);
    const found = earlier(name);
    const isEnum = (own.flags & ts.SymbolFlags.RegularEnum) !== 0;
    const isNamespace = isOnlyNamespace(ts, own) && !(found && canContinue(ts, exportedOf(found)));
    if (isEnum || isNamespace) fresh.push(name);
  }
  return fresh;
}

/** Writes members from earlier cells out: `size` inside the namespace `Shape` as `Shape.size`. */
export function writeOutMembers(
  ts: Ts,
  checker: typescript.TypeChecker,
  continued: Continued,
): typescript.TransformerFactory<typescript.SourceFile> {
  return (context) => {
    const { factory } = context;
    const namespaceOf = (symbol: typescript.Symbol | undefined) => symbol && continued.get(symbol);
    const access = (name: string, member: string) =>
      factory.createPropertyAccessExpression(factory.createIdentifier(name), member);
    const visit = (node: typescript.Node): typescript.Node => {
      if (ts.isTypeNode(node)) return node;
      if (ts.isShorthandPropertyAssignment(node)) {
        const name = namespaceOf(checker.getShorthandAssignmentValueSymbol(node));
        if (name !== undefined)
          return factory.createPropertyAssignment(node.name, access(name, node.name.text));
      } else if (ts.isIdentifier(node)) {
        const { parent } = node;
        const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
        const name = isMember ? undefined : namespaceOf(checker.getSymbolAtLocation(node));
        if (name !== undefined) return ts.setTextRange(access(name, node.text), node);
      }
      return ts.visitEachChild(node, visit, context);
    };
    return (file) => (continued.size === 0 ? file : ts.visitEachChild(file, visit, context));
  };
}

const isOnlyNamespace = (ts: Ts, { flags }: typescript.Symbol): boolean =>
  (flags & ts.SymbolFlags.Namespace) !== 0 &&
  (flags &
    (ts.SymbolFlags.Value | ts.SymbolFlags.Type | ts.SymbolFlags.Alias) &
    ~ts.SymbolFlags.ValueModule) ===
    0;

const canContinue = (ts: Ts, { flags }: typescript.Symbol): boolean =>
  (flags &
    (ts.SymbolFlags.Namespace |
      ts.SymbolFlags.Class |
      ts.SymbolFlags.Function |
      ts.SymbolFlags.RegularEnum)) !==
  0;
