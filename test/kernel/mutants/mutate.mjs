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
        // What `super(…)` sets up cannot be left out by a switch.
        canSwitch: !code.startsWith("super(", start),
        other: isCall ? "void 0" : code.slice(expression.start, start) + by + code.slice(end, expression.end),
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/**
 * A file's text with many faults, of which the one whose number `globalThis.lutnnFault` says is there and no other: none at
 * first, or in a child process what the environment says.
 * @param faults of this file, each with its number among all that are planted
 */
export function withSwitches(code, faults) {
  const within = (a, b) => a.start >= b.start && a.end <= b.end;
  const same = (a, b) => a.start === b.start && a.end === b.end;
  const write = (range, some) => {
    const [first] = some
      .map(({ expression }) => expression)
      .sort((a, b) => a.start - b.start || b.end - a.end);
    if (!first) return code.slice(range.start, range.end);
    const here = some.filter(({ expression }) => same(expression, first));
    const inner = some.filter(({ expression }) => within(expression, first) && !same(expression, first));
    const behind = some.filter(({ expression }) => !within(expression, first));
    const choices = here.map(
      ({ other, switchedBy }) => `globalThis.lutnnFault === ${switchedBy} ? (${other}) : `,
    );
    const switched = `(${choices.join("")}(${write(first, inner)}))`;
    return (
      code.slice(range.start, first.start) + switched + write({ start: first.end, end: range.end }, behind)
    );
  };
  const start = "globalThis.lutnnFault ??= Number(process.env.LUTNN_FAULT ?? -1);";
  return `${start}${write({ start: 0, end: code.length }, faults)}`;
}

/** The JavaScript that the library's build makes of a file. */
export const compiled = (code) =>
  ts.transpileModule(code, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
    },
  }).outputText;
