// Loops over the notebook's variables that may keep them in locals, which makes them two to four times as fast: those
// in which nothing runs that could look at the variables. That is decided by types, before they are gone.
import type typescript from "typescript";
import type { Ts } from "./compilerApi";
import { declaredNames, isAssignedTo, isAssignment, isReference } from "./scopes";

/** The label that marks such a loop from the first step of a cell to the second. */
export const hotLabel = "__hot__";

const typedArray = /^(Big)?(Uint|Int|Float)\d+(Clamped)?Array$/;

/** Marks the loops that run nothing but arithmetic on numbers, texts and the elements of arrays. */
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
      return this.isMath(node.expression) && node.arguments.every((each) => this.isPrimitive(each));
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
    if (isAssignment(ts, operator) && !ts.isIdentifier(left) && !ts.isElementAccessExpression(left))
      return false;
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

/** The names that a hot loop's JavaScript uses, and those among them that it assigns to. */
export function namesIn(
  ts: Ts,
  loop: typescript.Node,
  isWanted: (name: string, node: typescript.Node) => boolean,
): { used: Set<string>; written: Set<string> } {
  const [used, written] = [new Set<string>(), new Set<string>()];
  const visit = (node: typescript.Node): void => {
    if (ts.isVariableDeclaration(node))
      for (const name of declaredNames(ts, node.name))
        if (isWanted(name.text, name)) {
          used.add(name.text);
          written.add(name.text);
        }
    if (ts.isIdentifier(node) && isReference(ts, node) && isWanted(node.text, node)) {
      used.add(node.text);
      if (isAssignedTo(ts, node)) written.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(loop);
  return { used, written };
}
