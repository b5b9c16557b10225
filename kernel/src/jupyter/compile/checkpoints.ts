import type typescript from "@tslab/typescript-for-tslab";

/** Names of the functions that compiled cells call, as properties of the global that tslab's executor makes. */
export const hooks = {
  global: "__tslab__",
  resume: "resume",
  resumeEach: "resumeEach",
  load: "load",
} as const;

/**
 * Compiles `await x` to `await resume(x)` and `for await (… of x)` to `… of resumeEach(x)`, where an interrupt can
 * reach the code, and `import(x)` to `load(x, require)`, which finds what a notebook may import.
 */
export function checkpoints(ts: typeof typescript): typescript.TransformerFactory<typescript.SourceFile> {
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
