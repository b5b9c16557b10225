import type typescript from "typescript";
import type { Ts } from "./compilerApi";
import { hooks } from "./hooks";

/**
 * In the notebook's own files: compiles `await x` to `await resume(x)` and `for await (… of x)` to `… of resumeEach(x)`,
 * where an interrupt can reach the code, and `import(x)` to `load(x, require)`, which finds what a notebook may import.
 */
export function checkpoints(ts: Ts): typescript.TransformerFactory<typescript.SourceFile> {
  return (context) => {
    const { factory } = context;
    const call = (name: string, ...args: typescript.Expression[]) =>
      factory.createCallExpression(
        factory.createPropertyAccessExpression(factory.createIdentifier(hooks.global), name),
        undefined,
        args,
      );
    const visit = (original: typescript.Node): typescript.Node => {
      const node = ts.visitEachChild(original, visit, context);
      if (ts.isAwaitExpression(node))
        return factory.updateAwaitExpression(node, call(hooks.resume, node.expression));
      if (ts.isForOfStatement(node) && node.awaitModifier)
        return factory.updateForOfStatement(
          node,
          node.awaitModifier,
          node.initializer,
          call(hooks.resumeEach, node.expression),
          node.statement,
        );
      if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
        return call(hooks.load, node.arguments[0], factory.createIdentifier("require"));
      return node;
    };
    return (file) => ts.visitEachChild(file, visit, context);
  };
}
