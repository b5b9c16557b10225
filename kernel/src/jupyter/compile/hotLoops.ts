// Loops over the notebook's variables that may keep them in locals, which makes them two to four times as fast: those
// in which nothing runs that could look at the variables. That is decided by types, before they are gone. Functions of
// the same cell may run that are as plain and look at nothing but their arguments.
import type typescript from "typescript";
import type { Ts } from "./compilerApi";
import { isAssignment, runsLater } from "./scopes";

/** The label that marks such a loop from the first step of a cell to the second. */
export const hotLabel = "__hot__";

const typedArray = /^(Big)?(Uint|Int|Float)\d+(Clamped)?Array$/;

/** Marks the loops that run nothing but arithmetic on numbers, texts and the elements of arrays, in functions of their own too. */
export function markHotLoops(
  ts: Ts,
  program: typescript.Program,
): typescript.TransformerFactory<typescript.SourceFile> {
  const purity = new Purity(ts, program);
  return (context) => {
    const visit = (node: typescript.Node): typescript.Node => {
      if (ts.isIterationStatement(node, false) && !ts.isLabeledStatement(node.parent) && purity.of(node))
        return ts.setTextRange(context.factory.createLabeledStatement(hotLabel, node), node);
      return ts.visitEachChild(node, visit, context);
    };
    return (file) => ts.visitEachChild(file, visit, context);
  };
}

class Purity {
  private readonly checker: typescript.TypeChecker;
  /** Functions that a loop of the cell calls, and those that are being asked about: they are no plain ones if asked again. */
  private readonly functions = new Map<typescript.Node, boolean>();
  private readonly asked = new Set<typescript.Node>();

  constructor(
    private readonly ts: Ts,
    private readonly program: typescript.Program,
  ) {
    this.checker = program.getTypeChecker();
  }

  /** True when running the node calls nobody's code. */
  readonly of = (node: typescript.Node): boolean => {
    const { ts } = this;
    return this.isAllowed(node) && !ts.forEachChild(node, (child) => !this.isType(child) && !this.of(child));
  };

  private isType(node: typescript.Node): boolean {
    return this.ts.isTypeNode(node) || this.ts.isModifier(node);
  }

  private isAllowed(node: typescript.Node): boolean {
    const { ts } = this;
    if (ts.isForOfStatement(node)) return !node.awaitModifier && this.isList(node.expression);
    if (ts.isVariableDeclarationList(node)) return (node.flags & ts.NodeFlags.Using) !== ts.NodeFlags.Using;
    if (ts.isVariableDeclaration(node)) return ts.isIdentifier(node.name);
    if (ts.isBreakOrContinueStatement(node)) return node.label === undefined;
    if (ts.isBinaryExpression(node)) return this.isPlain(node);
    if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node))
      return node.operator === ts.SyntaxKind.ExclamationToken || this.isPrimitive(node.operand);
    if (ts.isPropertyAccessExpression(node))
      return this.isMath(node) || (node.name.text === "length" && this.isList(node.expression));
    if (ts.isElementAccessExpression(node))
      return this.isList(node.expression) && this.isNumber(node.argumentExpression);
    if (ts.isCallExpression(node))
      return (
        (this.isMath(node.expression) || this.isPlainCall(node)) &&
        node.arguments.every((each) => this.isPrimitive(each))
      );
    if (ts.isArrayLiteralExpression(node)) return node.elements.every((each) => !ts.isSpreadElement(each));
    if (ts.isTemplateSpan(node)) return this.isPrimitive(node.expression);
    return this.plainKinds.has(node.kind) || ts.isToken(node);
  }

  private get plainKinds(): ReadonlySet<typescript.SyntaxKind> {
    const { SyntaxKind } = this.ts;
    return new Set([
      SyntaxKind.ForStatement,
      SyntaxKind.WhileStatement,
      SyntaxKind.DoStatement,
      SyntaxKind.Block,
      SyntaxKind.IfStatement,
      SyntaxKind.ExpressionStatement,
      SyntaxKind.VariableStatement,
      SyntaxKind.Identifier,
      SyntaxKind.ParenthesizedExpression,
      SyntaxKind.ConditionalExpression,
      SyntaxKind.AsExpression,
      SyntaxKind.NonNullExpression,
      SyntaxKind.SatisfiesExpression,
      SyntaxKind.TypeOfExpression,
      SyntaxKind.TemplateExpression,
    ]);
  }

  private isPlain({ left, operatorToken, right }: typescript.BinaryExpression): boolean {
    const { ts } = this;
    const { SyntaxKind } = ts;
    const operator = operatorToken.kind;
    if (isAssignment(ts, operator) && !this.isTarget(left, right)) return false;
    switch (operator) {
      case SyntaxKind.EqualsToken:
      case SyntaxKind.EqualsEqualsEqualsToken:
      case SyntaxKind.ExclamationEqualsEqualsToken:
      case SyntaxKind.AmpersandAmpersandToken:
      case SyntaxKind.BarBarToken:
      case SyntaxKind.QuestionQuestionToken:
      case SyntaxKind.CommaToken:
      case SyntaxKind.AmpersandAmpersandEqualsToken:
      case SyntaxKind.BarBarEqualsToken:
      case SyntaxKind.QuestionQuestionEqualsToken:
        return true;
      case SyntaxKind.InKeyword:
      case SyntaxKind.InstanceOfKeyword:
        return false;
      default:
        return this.isPrimitive(left) && this.isPrimitive(right);
    }
  }

  /** A variable, an element, or a pattern of them for a list. */
  private isTarget(left: typescript.Expression, right: typescript.Expression): boolean {
    const { ts } = this;
    if (!ts.isArrayLiteralExpression(left))
      return ts.isIdentifier(left) || ts.isElementAccessExpression(left);
    const isOne = (each: typescript.Expression) =>
      ts.isIdentifier(each) || ts.isElementAccessExpression(each);
    return this.isList(right) && left.elements.every(isOne);
  }

  /**
   * Calls a function of this cell that is plain and looks at nothing but its arguments. In a function that runs later the
   * name may have got another one meanwhile.
   */
  private isPlainCall(node: typescript.CallExpression): boolean {
    const around = this.ts.findAncestor(node, (at) => runsLater(this.ts, at));
    return (around === undefined || this.asked.has(around)) && this.isPlainFunction(node.expression);
  }

  private isPlainFunction(callee: typescript.Expression): boolean {
    const { ts, checker } = this;
    const symbol = ts.isIdentifier(callee) ? checker.getSymbolAtLocation(callee) : undefined;
    const [declaration, ...more] = symbol?.declarations ?? [];
    if (!declaration || more.length > 0 || declaration.getSourceFile() !== callee.getSourceFile())
      return false;
    const made = this.functionOf(declaration);
    if (!made) return false;
    const known = this.functions.get(made);
    if (known !== undefined) return known;
    this.functions.set(made, false);
    this.asked.add(made);
    const isPlain = this.isPlainBody(made);
    this.asked.delete(made);
    this.functions.set(made, isPlain);
    return isPlain;
  }

  private functionOf(declaration: typescript.Declaration): typescript.FunctionLikeDeclaration | null {
    const { ts } = this;
    if (ts.isFunctionDeclaration(declaration)) return declaration;
    if (!ts.isVariableDeclaration(declaration) || !declaration.initializer) return null;
    const isConst = (ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) !== 0;
    const { initializer } = declaration;
    return isConst && ts.isArrowFunction(initializer) ? initializer : null;
  }

  private isPlainBody({
    body,
    parameters,
    modifiers,
    asteriskToken,
  }: typescript.FunctionLikeDeclaration): boolean {
    const { ts } = this;
    if (!body || asteriskToken || (modifiers ?? []).some(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword))
      return false;
    const own = body.parent;
    if (
      !parameters.every(
        ({ name, initializer, dotDotDotToken }) => ts.isIdentifier(name) && !initializer && !dotDotDotToken,
      )
    )
      return false;
    const isOwn = (node: typescript.Identifier): boolean => {
      const declarations = this.checker.getSymbolAtLocation(node)?.declarations ?? [];
      return declarations.some((each) => ts.findAncestor(each, (at) => at === own));
    };
    const isPlain = (node: typescript.Node): boolean => {
      if (this.isType(node)) return true;
      if (ts.isIterationStatement(node, false)) return false; // an iteration must be short: it cannot be stopped well
      if (ts.isReturnStatement(node)) return !node.expression || isPlain(node.expression);
      if (ts.isIdentifier(node)) return isOwn(node);
      if (!this.isAllowed(node)) return false;
      if (ts.isPropertyAccessExpression(node)) return this.isMath(node) || isPlain(node.expression);
      if (ts.isCallExpression(node)) return node.arguments.every(isPlain);
      return !ts.forEachChild(node, (child) => !isPlain(child));
    };
    return isPlain(body);
  }

  private isPrimitive(node: typescript.Expression): boolean {
    return this.all(this.checker.getTypeAtLocation(node), ({ flags }) => {
      const { TypeFlags } = this.ts;
      return (
        (flags &
          (TypeFlags.NumberLike |
            TypeFlags.StringLike |
            TypeFlags.BooleanLike |
            TypeFlags.BigIntLike |
            TypeFlags.Null |
            TypeFlags.Undefined)) !==
        0
      );
    });
  }

  private isNumber(node: typescript.Expression): boolean {
    return this.all(
      this.checker.getTypeAtLocation(node),
      ({ flags }) => (flags & this.ts.TypeFlags.NumberLike) !== 0,
    );
  }

  private isList(node: typescript.Expression): boolean {
    const { checker, ts } = this;
    return this.all(checker.getTypeAtLocation(node), (type) => {
      if (
        (type.flags & ts.TypeFlags.StringLike) !== 0 ||
        checker.isArrayType(type) ||
        checker.isTupleType(type)
      )
        return true;
      return typedArray.test(type.symbol?.name ?? "") && this.isStandard(type.symbol);
    });
  }

  private all(type: typescript.Type, holds: (type: typescript.Type) => boolean): boolean {
    return type.isUnion() ? type.types.every(holds) : holds(type);
  }

  /** `Math.something` */
  private isMath(node: typescript.Expression): boolean {
    const { ts, checker } = this;
    if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return false;
    const symbol = checker.getSymbolAtLocation(node.expression);
    return symbol?.name === "Math" && this.isStandard(symbol);
  }

  private isStandard(symbol: typescript.Symbol): boolean {
    return (symbol.declarations ?? []).some((declaration) =>
      this.program.isSourceFileDefaultLibrary(declaration.getSourceFile()),
    );
  }
}
