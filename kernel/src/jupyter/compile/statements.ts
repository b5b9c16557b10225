// The first step of a cell: what the compiler itself would leave out of a module or keep to it.
import type typescript from "typescript";
import type { Ts } from "./compilerApi";
import { hooks } from "./hooks";

/**
 * Imports stay although this cell does not use them, since a later one may; a cell's last expression is its result;
 * `export default` of a value is an expression like any other.
 */
export function cellStatements(
  ts: Ts,
  checker: typescript.TypeChecker,
): typescript.TransformerFactory<typescript.SourceFile> {
  const isValue = (name: typescript.Node): boolean => {
    const symbol = checker.getSymbolAtLocation(name);
    if (!symbol || (symbol.flags & ts.SymbolFlags.Alias) === 0) return true;
    const target = checker.getAliasedSymbol(symbol);
    return (target.flags & ts.SymbolFlags.Value) !== 0 || checker.isUnknownSymbol(target);
  };
  return ({ factory }) => {
    /** What has no place in the text is never left out. */
    const keptImport = (node: typescript.ImportDeclaration): typescript.Statement | undefined => {
      const { importClause: clause, moduleSpecifier, attributes } = node;
      if (!clause) return node;
      if (clause.isTypeOnly) return undefined;
      const name = clause.name && isValue(clause.name) ? clause.name : undefined;
      let bindings = clause.namedBindings;
      if (bindings && ts.isNamedImports(bindings)) {
        const kept = bindings.elements
          .filter((each) => !each.isTypeOnly && isValue(each.name))
          .map((each) => factory.createImportSpecifier(false, each.propertyName, each.name));
        // As the compiler has it, an import of types only is none at all.
        bindings =
          kept.length > 0 || bindings.elements.length === 0 ? factory.createNamedImports(kept) : undefined;
      } else if (bindings) bindings = factory.createNamespaceImport(bindings.name);
      if (!name && !bindings) return undefined;
      const kept = factory.createImportClause(false, name, bindings);
      return ts.setTextRange(
        factory.createImportDeclaration(undefined, kept, moduleSpecifier, attributes),
        node,
      );
    };

    const expressionOf = (name: typescript.EntityName): typescript.Expression =>
      ts.isIdentifier(name)
        ? name
        : factory.createPropertyAccessExpression(expressionOf(name.left), name.right.text);

    /** `import a = require("b")`, and `import a = B.c`, which is a constant. */
    const keptAlias = (node: typescript.ImportEqualsDeclaration): typescript.Statement | undefined => {
      const { isTypeOnly, name, moduleReference } = node;
      if (isTypeOnly || !isValue(name)) return undefined;
      const kept = ts.isExternalModuleReference(moduleReference)
        ? factory.createImportEqualsDeclaration(undefined, false, name, moduleReference)
        : factory.createVariableStatement(
            undefined,
            factory.createVariableDeclarationList(
              [factory.createVariableDeclaration(name, undefined, undefined, expressionOf(moduleReference))],
              ts.NodeFlags.Const,
            ),
          );
      return ts.setTextRange(kept, node);
    };

    const statement = (node: typescript.Statement, isLast: boolean): typescript.Statement | undefined => {
      if (ts.isImportDeclaration(node)) return keptImport(node);
      if (ts.isImportEqualsDeclaration(node)) return keptAlias(node);
      const value =
        ts.isExpressionStatement(node) || (ts.isExportAssignment(node) && !node.isExportEquals)
          ? node.expression
          : null;
      if (!value || (!isLast && ts.isExpressionStatement(node))) return node;
      if (!isLast) return ts.setTextRange(factory.createExpressionStatement(value), node);
      const hook = factory.createPropertyAccessExpression(
        factory.createIdentifier(hooks.global),
        hooks.result,
      );
      const call = factory.createCallExpression(hook, undefined, [value]);
      return ts.setTextRange(factory.createExpressionStatement(ts.setTextRange(call, value)), node);
    };

    return (file) => {
      const meaningful = file.statements.filter(
        (node) => !ts.isEmptyStatement(node) && !ts.isExportDeclaration(node),
      );
      const last = meaningful[meaningful.length - 1];
      const statements = file.statements.flatMap((node) => statement(node, node === last) ?? []);
      return factory.updateSourceFile(
        file,
        ts.setTextRange(factory.createNodeArray(statements), file.statements),
      );
    };
  };
}
