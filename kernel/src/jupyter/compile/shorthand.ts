import type typescript from "@tslab/typescript-for-tslab";

/**
 * Writes `{ name }` out as `{ name: exports.name }` where `name` is of an earlier cell: the converter would take it for
 * the name of the new property and leave it alone.
 */
export function shorthandOfEarlierCells(
  ts: typeof typescript,
  checker: typescript.TypeChecker,
): typescript.TransformerFactory<typescript.SourceFile> {
  const isEarlier = (node: typescript.ShorthandPropertyAssignment): boolean =>
    (checker.getShorthandAssignmentValueSymbol(node)?.declarations ?? []).some((declaration) =>
      declaration.getSourceFile().fileName.endsWith("/__prev__.d.ts"),
    );
  return (context) => {
    const { factory } = context;
    const visit = (node: typescript.Node): typescript.Node => {
      if (!ts.isShorthandPropertyAssignment(node)) return ts.visitEachChild(node, visit, context);
      const original = ts.getOriginalNode(node) as typescript.ShorthandPropertyAssignment;
      if (!isEarlier(original)) return ts.visitEachChild(node, visit, context);
      const { text } = node.name;
      const value = factory.createPropertyAccessExpression(factory.createIdentifier("exports"), text);
      const fallback = node.objectAssignmentInitializer; // `({ name = 1 } = object)`
      return factory.createPropertyAssignment(
        factory.createIdentifier(text),
        fallback
          ? factory.createAssignment(value, ts.visitNode(fallback, visit) as typescript.Expression)
          : value,
      );
    };
    return (file) => ts.visitEachChild(file, visit, context);
  };
}
