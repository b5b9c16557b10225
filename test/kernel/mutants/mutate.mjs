// Small faults, one at a time, in a TypeScript file: found in its syntax tree, so that types, texts and imports stay as they
// are. What an error says is not computed, so nothing inside of `throw` is changed.
import ts from "typescript";

const swaps = new Map([
  [ts.SyntaxKind.PlusToken, "-"],
  [ts.SyntaxKind.MinusToken, "+"],
  [ts.SyntaxKind.AsteriskToken, "/"],
  [ts.SyntaxKind.SlashToken, "*"],
  [ts.SyntaxKind.PercentToken, "*"],
  [ts.SyntaxKind.LessThanToken, "<="],
  [ts.SyntaxKind.LessThanEqualsToken, "<"],
  [ts.SyntaxKind.GreaterThanToken, ">="],
  [ts.SyntaxKind.GreaterThanEqualsToken, ">"],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, "!=="],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, "==="],
  [ts.SyntaxKind.AmpersandAmpersandToken, "||"],
  [ts.SyntaxKind.BarBarToken, "&&"],
  [ts.SyntaxKind.PlusEqualsToken, "-="],
  [ts.SyntaxKind.MinusEqualsToken, "+="],
]);

const logical = [
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
];
/** The whole of `a && b || c` around a part of it: another operator there may take other operands. */
function wholeCondition(node) {
  let whole = node;
  while (ts.isBinaryExpression(whole.parent) && logical.includes(whole.parent.operatorToken.kind))
    whole = whole.parent;
  return whole;
}

/** Of each node: the part of the text that is replaced, and by what; and the expression that is another one then. */
function faultsOf(node, source) {
  const text = (one) => one.getText(source);
  const range = (one) => ({ start: one.getStart(source), end: one.getEnd() });
  const replace = (one, by, expression = one) => ({ ...range(one), by, expression: range(expression) });
  if (ts.isBinaryExpression(node)) {
    const swap = swaps.get(node.operatorToken.kind);
    const joinsText = [node.left, node.right].some(
      (one) => ts.isStringLiteral(one) || ts.isTemplateExpression(one),
    );
    return swap && !joinsText ? [replace(node.operatorToken, swap, wholeCondition(node))] : [];
  }
  if (ts.isNumericLiteral(node)) return [replace(node, node.text === "0" ? "1" : `(${node.text} + 1)`)];
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [replace(node, "false")];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [replace(node, "true")];
  if (
    ts.isPrefixUnaryExpression(node) &&
    [ts.SyntaxKind.ExclamationToken, ts.SyntaxKind.MinusToken].includes(node.operator)
  )
    return [replace(node, `(${text(node.operand)})`)];
  if (ts.isIfStatement(node)) return [replace(node.expression, `!(${text(node.expression)})`)];
  if (ts.isConditionalExpression(node)) return [replace(node.condition, `!(${text(node.condition)})`)];
  if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression))
    return [{ ...replace(node, ";"), expression: range(node.expression), isCall: true }];
  return [];
}

/** Every fault of a file, in the order of the text; `id` stays the same while the line does, and is no other's. */
export function findMutants(path, code) {
  const source = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true);
  const lines = code.split("\n");
  const found = [];
  const times = new Map();
  const visit = (node) => {
    if (ts.isThrowStatement(node) || ts.isTypeNode(node) || ts.isImportDeclaration(node)) return;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    for (const { start, end, by, expression, isCall } of faultsOf(node, source)) {
      const { line } = source.getLineAndCharacterOfPosition(start);
      const change = `${code.slice(start, end).replace(/\s+/g, " ")} → ${by.replace(/\s+/g, " ")}`;
      const what = `${path}: ${lines[line].trim()} | ${change}`;
      times.set(what, (times.get(what) ?? 0) + 1);
      found.push({
        path,
        line: line + 1,
        id: times.get(what) === 1 ? what : `${what} (${times.get(what)})`,
        code: code.slice(0, start) + by + code.slice(end),
        expression,
        // What `super(…)` sets up cannot be left out by a switch, and the name of a property is no expression.
        canSwitch:
          !code.startsWith("super(", start) &&
          !(ts.isPropertyAssignment(node.parent) && node.parent.name === node),
        other: isCall ? "void 0" : code.slice(expression.start, start) + by + code.slice(end, expression.end),
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/**
 * A file's text in which the expressions of some faults are written anew.
 * @param write makes of the faults of one expression and of its text, in which the inner ones are written already, another text
 */
function rewritten(code, faults, write) {
  const within = (a, b) => a.start >= b.start && a.end <= b.end;
  const same = (a, b) => a.start === b.start && a.end === b.end;
  const rewrite = (range, some) => {
    const [first] = some
      .map(({ expression }) => expression)
      .sort((a, b) => a.start - b.start || b.end - a.end);
    if (!first) return code.slice(range.start, range.end);
    const here = some.filter(({ expression }) => same(expression, first));
    const inner = some.filter(({ expression }) => within(expression, first) && !same(expression, first));
    const behind = some.filter(({ expression }) => !within(expression, first));
    return (
      code.slice(range.start, first.start) +
      write(here, rewrite(first, inner)) +
      rewrite({ start: first.end, end: range.end }, behind)
    );
  };
  return rewrite({ start: 0, end: code.length }, faults);
}

/**
 * A file's text with many faults, of which the one whose number `globalThis.lutnnFault` says is there and no other: none at
 * first, or in a child process what the environment says.
 * @param faults of this file, each with its number among all that are planted
 */
export function withSwitches(code, faults) {
  const start = "globalThis.lutnnFault ??= Number(process.env.LUTNN_FAULT ?? -1);";
  const text = rewritten(code, faults, (here, inner) => {
    const choices = here.map(
      ({ other, switchedBy }) => `globalThis.lutnnFault === ${switchedBy} ? (${other}) : `,
    );
    return `(${choices.join("")}(${inner}))`;
  });
  return `${start}${text}`;
}

/**
 * A file's text that says the number of each fault as it comes there.
 * @param faults of this file, each with its number in it
 * @param noter an expression that gives what notes down: `globalThis.lutnnReachOf` or what makes it
 */
export function withNotes(code, faults, noter) {
  const [{ path }] = faults;
  const start = `const lutnnReach = (${noter})(${JSON.stringify(path)}, ${faults.length});`;
  const switchable = faults.filter(({ canSwitch }) => canSwitch);
  const text = rewritten(
    code,
    switchable,
    (here, inner) => `(${here.map(({ number }) => `lutnnReach(${number}), `).join("")}(${inner}))`,
  );
  return `${start}${text}`;
}

/** The JavaScript that the library's build makes of a file. */
export const compiled = (code) =>
  ts.transpileModule(code, {
    fileName: "file.cts", // kernel/package.json says that its files are CommonJS
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.Node16,
      esModuleInterop: true,
    },
  }).outputText;
