// The second step of a cell: its JavaScript, a module of its own, becomes the body of a function whose top-level names
// are the notebook's variables. Each of them lives in an object of its own, its *box* (see scope.ts), as the property
// with its name; a function in whatever cell that reads or writes `rate` reads or writes `$rate.rate`.
import type typescript from "typescript";
import { identifiersOf, parseModule, type Ts } from "./compilerApi";
import { Edits, type Shifts } from "./edits";
import { hooks, opening } from "./hooks";
import { hotLabel } from "./hotLoops";
import {
  declaredNames,
  isAnonymousFunction,
  isAssignment,
  isReference,
  isStep,
  placeOf,
  runsLater,
} from "./scopes";
import { changingNames, isUnused, loopNames, loopOf } from "./topLoops";

/** Iterations of a hot loop after which its variables are as of now for everybody, too; a power of two. */
const iterationsBetween = 1024;

export interface FunctionBody {
  text: string;
  /** Where the text's columns come from; its first line begins with `prologue` characters of ours. */
  shifts: Shifts;
  prologue: number;
  /** A parameter for the box of each name that the cell uses, is the name with this before it. */
  prefix: string;
  names: string[];
  /** Names declared by `var`, which have a value from the start. */
  vars: string[];
  /** Names of the notebook's variables that change at any time: what the cell's functions assign to, and imports. */
  changing: string[];
  /** What it requires. */
  imports: string[];
}

/** The variables that a loop keeps in locals. */
interface Kept {
  names: ReadonlySet<string>;
  /** Those among them that are assigned to together with their locals. */
  through: ReadonlySet<string>;
  /** Functions around the loop: inside others the variables are where they always are. */
  depth: number;
}
const nothingKept: Kept = { names: new Set(), through: new Set(), depth: -1 };

/** What is known of the notebook's variables. */
export interface Variables {
  /** Those that this cell declares (the compiler adds others for itself). */
  declared: ReadonlySet<string>;
  /** Those that earlier cells have declared. */
  known: ReadonlySet<string>;
  /** Those among them that may change at any time: functions assign to them, or they are imports. */
  changing: ReadonlySet<string>;
}

/** @param name the property of a box, and of an object that gives a function its name */
const propertyOf = (name: string): string => (name === "__proto__" ? '["__proto__"]' : `.${name}`);

/** @param code the module, as the compiler has printed it */
export function toFunctionBody(ts: Ts, code: string, variables: Variables): FunctionBody {
  return new OneScope(ts, code, variables).body();
}

class OneScope {
  private readonly file: typescript.SourceFile;
  private readonly edits = new Edits();
  private readonly names = new Set<string>();
  private readonly vars = new Set<string>();
  private readonly functions: string[] = [];
  /** Variables of the compiler's own whose declaration became an assignment. */
  private readonly own = new Set<string>();
  private readonly imports: string[] = [];
  private readonly prefix: string;
  private isAsync = false;
  /** Functions around what is being visited. */
  private depth = 0;
  /** What the loop which is being visited keeps in locals. */
  private kept = nothingKept;
  private readonly ownChanging: Set<string>;

  constructor(
    private readonly ts: Ts,
    private readonly code: string,
    private readonly notebook: Variables,
  ) {
    this.file = parseModule(ts, code, ts.ScriptKind.TS);
    ts.bindSourceFile(this.file, {});
    const identifiers = [...identifiersOf(this.file)];
    let prefix = "$";
    while (identifiers.some((each) => each.startsWith(prefix))) prefix += "$";
    this.prefix = prefix;
    this.ownChanging = changingNames(ts, this.file, (name, node) => this.isShared(name, node));
  }

  body(): FunctionBody {
    this.file.statements.forEach(this.visit);
    const { text, shifts } = this.edits.apply(this.code);
    const { prefix, imports, isAsync } = this;
    const begin = `"use strict"; ${isAsync ? "return (async function () { " : ""}`;
    const own = this.own.size > 0 ? `let ${[...this.own].join(", ")}; ` : "";
    const functions = this.functions.map((name) => `${this.variable(name)} = ${name}; `).join("");
    const prologue = begin + own + functions;
    return {
      text: `${prologue}${text}${isAsync ? "\n})();" : ""}`,
      shifts,
      prologue: prologue.length,
      prefix,
      names: [...this.names],
      vars: [...this.vars],
      changing: [...this.ownChanging],
      imports,
    };
  }

  /** The code for a variable of the notebook. */
  private variable(name: string): string {
    this.names.add(name);
    return `${this.prefix}${name}${propertyOf(name)}`;
  }

  private isShared(name: string, node: typescript.Node): boolean {
    const place = placeOf(this.ts, name, node);
    return place !== "inner" && (place === "top" ? this.notebook.declared : this.notebook.known).has(name);
  }

  private readonly visit = (node: typescript.Node): void => {
    const { ts } = this;
    if (ts.isIdentifier(node)) this.identifier(node);
    else if (ts.isShorthandPropertyAssignment(node)) this.shorthand(node);
    else if (ts.isVariableStatement(node)) this.variableStatement(node);
    else if (ts.isVariableDeclarationList(node)) this.declarationList(node);
    else if (ts.isFunctionDeclaration(node) && ts.isSourceFile(node.parent)) this.topFunction(node);
    else if (ts.isClassDeclaration(node) && ts.isSourceFile(node.parent)) this.topClass(node);
    else if (ts.isImportDeclaration(node)) this.importDeclaration(node);
    else if (ts.isExportDeclaration(node)) this.exportDeclaration(node);
    else if (ts.isLabeledStatement(node) && node.label.text === hotLabel) this.hotLoop(node);
    else if (this.depth === 0 && this.kept === nothingKept && loopOf(ts, node)) this.topLoop(node);
    else if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
      this.replace(node, `${hooks.global}.${hooks.meta}`);
    else this.inside(node);
  };

  private inside(node: typescript.Node): void {
    const { ts } = this;
    const isFunction = runsLater(ts, node);
    if (isFunction) this.depth++;
    if (ts.isAwaitExpression(node)) this.awaitExpression(node);
    else if (ts.isForOfStatement(node) && node.awaitModifier) this.forAwait(node);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      this.dynamicImport(node);
    else if (ts.isBinaryExpression(node)) this.binary(node);
    else if (isStep(ts, node) && ts.isIdentifier(node.operand) && this.writesThrough(node.operand))
      this.step(node, node.operand.text);
    else ts.forEachChild(node, this.visit);
    if (isFunction) this.depth--;
  }

  private identifier(node: typescript.Identifier): void {
    const { ts } = this;
    if (!isReference(ts, node) || !this.isShared(node.text, node)) return;
    const { parent } = node;
    // Without this detour the box would be the function's `this`.
    const isCalled =
      (ts.isCallExpression(parent) && parent.expression === node) ||
      (ts.isTaggedTemplateExpression(parent) && parent.tag === node);
    const place = this.place(node.text);
    this.replace(node, isCalled && !this.isKept(node.text) ? `(0, ${place})` : place);
  }

  /** The code for where the name's value is. */
  private place(name: string): string {
    return this.isKept(name) ? this.localOf(name) : this.variable(name);
  }

  private isKept = (name: string): boolean => this.kept.depth === this.depth && this.kept.names.has(name);

  private localOf = (name: string): string => `${this.prefix}${this.prefix}${name}$${name}`;

  /** True for a variable that is assigned to together with its local. */
  private writesThrough = (node: typescript.Identifier): boolean =>
    this.isKept(node.text) && this.kept.through.has(node.text) && this.isShared(node.text, node);

  private shorthand({ name, objectAssignmentInitializer }: typescript.ShorthandPropertyAssignment): void {
    if (this.isShared(name.text, name)) {
      this.edits.insert(name.end, `: ${this.place(name.text)}`);
      if (objectAssignmentInitializer) this.named(name.text, objectAssignmentInitializer);
    } else if (objectAssignmentInitializer) this.visit(objectAssignmentInitializer);
  }

  private binary(node: typescript.BinaryExpression): void {
    const { ts } = this;
    const { left, operatorToken, right } = node;
    if (isAssignment(ts, operatorToken.kind) && ts.isIdentifier(left) && this.writesThrough(left))
      this.edits.insert(left.getStart(), `${this.variable(left.text)} = `);
    this.visit(left);
    const names =
      operatorToken.kind === ts.SyntaxKind.EqualsToken ||
      operatorToken.kind === ts.SyntaxKind.BarBarEqualsToken ||
      operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandEqualsToken ||
      operatorToken.kind === ts.SyntaxKind.QuestionQuestionEqualsToken;
    if (names && ts.isIdentifier(left) && this.isShared(left.text, left)) this.named(left.text, right);
    else this.visit(right);
  }

  /** `x++` and the like, of a variable and its local. */
  private step(
    node: typescript.PrefixUnaryExpression | typescript.PostfixUnaryExpression,
    name: string,
  ): void {
    const [variable, local] = [this.variable(name), this.localOf(name)];
    const operator = node.operator === this.ts.SyntaxKind.PlusPlusToken ? "++" : "--";
    const isBefore = this.ts.isPrefixUnaryExpression(node) || isUnused(this.ts, node);
    const { scratch } = this;
    this.replace(
      node,
      isBefore
        ? `(${variable} = ${operator}${local})`
        : `(${scratch} = ${local}${operator}, ${variable} = ${local}, ${scratch})`,
    );
  }

  /** A variable of our own in every loop that keeps others in locals. */
  private get scratch(): string {
    return this.prefix + this.prefix;
  }

  /** A value that is assigned to a variable: a function without a name gets the variable's. */
  private named(name: string, value: typescript.Expression): void {
    if (!isAnonymousFunction(this.ts, value)) {
      this.visit(value);
      return;
    }
    const key = name === "__proto__" ? '["__proto__"]' : name;
    this.edits.insert(value.getStart(), `{ ${key}: `);
    this.visit(value);
    this.edits.insert(value.end, ` }${propertyOf(name)}`);
  }

  private variableStatement(node: typescript.VariableStatement): void {
    this.dropModifiers(node);
    this.visit(node.declarationList);
  }

  /** A declaration of the notebook's variables becomes assignments. */
  private declarationList(node: typescript.VariableDeclarationList): void {
    const { ts } = this;
    const isTop = node.declarations.some(({ name }) =>
      declaredNames(ts, name).some((each) => this.isShared(each.text, each)),
    );
    if (!isTop) {
      ts.forEachChild(node, this.visit);
      return;
    }
    const isVar = (node.flags & ts.NodeFlags.BlockScoped) === 0;
    const isLoops = ts.isForInStatement(node.parent) || ts.isForOfStatement(node.parent);
    this.edits.replace(this.code, node.getStart(), node.declarations[0].getStart(), "");
    for (const declaration of node.declarations) {
      const { name, initializer } = declaration;
      for (const { text } of declaredNames(ts, name).filter((each) => this.isShared(each.text, each)))
        if (isVar) this.vars.add(text);
      const isPattern = !ts.isIdentifier(name) && !isLoops;
      if (isVar && !initializer && !isLoops) {
        // Has its value already.
        this.replace(declaration, "void 0");
        continue;
      }
      if (ts.isIdentifier(name) && !initializer && !isLoops && this.isShared(name.text, name)) {
        this.names.add(name.text);
        this.replace(declaration, `${opening("blank")}${JSON.stringify(name.text)})`);
        continue;
      }
      if (isPattern) this.edits.insert(declaration.getStart(), "(");
      this.target(name);
      if (initializer && ts.isIdentifier(name) && this.isShared(name.text, name))
        this.named(name.text, initializer);
      else if (initializer) this.visit(initializer);
      else if (!isLoops) this.edits.insert(name.end, " = void 0");
      if (isPattern) this.edits.insert(declaration.end, ")");
    }
  }

  /** What was declared is assigned to. */
  private target(name: typescript.BindingName): void {
    const { ts } = this;
    if (ts.isIdentifier(name)) {
      if (!this.isShared(name.text, name)) this.own.add(name.text);
      else {
        const through = this.writesThrough(name) ? `${this.variable(name.text)} = ` : "";
        this.replace(name, through + this.place(name.text));
      }
      return;
    }
    for (const element of name.elements) {
      if (ts.isOmittedExpression(element)) continue;
      if (element.propertyName) this.visit(element.propertyName);
      const { name: inner, initializer } = element;
      // `{ a }` is short for `{ a: a }`.
      if (ts.isObjectBindingPattern(name) && !element.propertyName && !element.dotDotDotToken)
        this.edits.insert(inner.getStart(), `${inner.getText()}: `);
      this.target(inner);
      if (initializer && ts.isIdentifier(inner) && this.isShared(inner.text, inner))
        this.named(inner.text, initializer);
      else if (initializer) this.visit(initializer);
    }
  }

  private topFunction(node: typescript.FunctionDeclaration): void {
    const start = this.dropModifiers(node);
    const { name } = node;
    // `export default function () {}` makes no name.
    if (!name) this.edits.insert(start, "void ");
    else if (this.notebook.declared.has(name.text)) this.functions.push(name.text);
    this.inside(node);
  }

  private topClass(node: typescript.ClassDeclaration): void {
    const start = this.dropModifiers(node);
    const isShared = node.name !== undefined && this.notebook.declared.has(node.name.text);
    if (node.name && isShared) this.edits.insert(start, `${this.variable(node.name.text)} = `);
    if (!node.name) this.edits.insert(start, "void ");
    this.inside(node);
    if (isShared || !node.name) this.edits.insert(node.end, ";");
  }

  private isExport = (kind: typescript.SyntaxKind): boolean =>
    kind === this.ts.SyntaxKind.ExportKeyword || kind === this.ts.SyntaxKind.DefaultKeyword;

  /** Without `export` and `default`; @returns where what follows them begins */
  private dropModifiers(node: typescript.Statement): number {
    const modifiers = this.ts.canHaveModifiers(node) ? (this.ts.getModifiers(node) ?? []) : [];
    let start = node.getStart();
    for (const { end } of modifiers.filter((each) => this.isExport(each.kind))) {
      const next = end + (/^\s*/.exec(this.code.slice(end))?.[0].length ?? 0);
      this.edits.replace(this.code, start, next, "");
      start = next;
    }
    return start;
  }

  private importDeclaration(node: typescript.ImportDeclaration): void {
    const { ts } = this;
    const { moduleSpecifier, importClause } = node;
    this.imports.push((moduleSpecifier as typescript.StringLiteral).text);
    const required = `require(${moduleSpecifier.getText()})`;
    if (!importClause) {
      this.replace(node, `${required};`);
      return;
    }
    const bindings: [string, string][] = [];
    if (importClause.name) bindings.push([importClause.name.text, "default"]);
    const { namedBindings } = importClause;
    if (namedBindings && ts.isNamespaceImport(namedBindings)) bindings.push([namedBindings.name.text, "*"]);
    else if (namedBindings)
      for (const { name, propertyName } of namedBindings.elements)
        bindings.push([name.text, (propertyName ?? name).text]);
    this.replace(
      node,
      `${opening("bind")}${required}, ${JSON.stringify(bindings)}, ${moduleSpecifier.getText()});`,
    );
  }

  private exportDeclaration(node: typescript.ExportDeclaration): void {
    const { moduleSpecifier } = node;
    if (moduleSpecifier) this.imports.push((moduleSpecifier as typescript.StringLiteral).text);
    this.replace(node, moduleSpecifier ? `require(${moduleSpecifier.getText()});` : ";");
  }

  private awaitExpression({ expression }: typescript.AwaitExpression): void {
    if (this.depth === 0) this.isAsync = true;
    this.edits.insert(expression.getStart(), opening("resume"));
    this.visit(expression);
    this.edits.insert(expression.end, ")");
  }

  private forAwait(node: typescript.ForOfStatement): void {
    if (this.depth === 0) this.isAsync = true;
    this.visit(node.initializer);
    this.edits.insert(node.expression.getStart(), opening("resumeEach"));
    this.visit(node.expression);
    this.edits.insert(node.expression.end, ")");
    this.visit(node.statement);
  }

  private dynamicImport(node: typescript.CallExpression): void {
    this.replace(node.expression, opening("load").slice(0, -1));
    const [id] = node.arguments;
    this.visit(id);
    this.edits.replace(this.code, id.end, node.end, ", require)");
  }

  /** A loop that nothing can look into while it runs keeps the notebook's variables in locals. */
  private hotLoop({ label, statement }: typescript.LabeledStatement): void {
    const { used, written } = loopNames(this.ts, statement, (name, node) => this.isShared(name, node));
    this.edits.replace(this.code, label.getStart(), statement.getStart(), "");
    this.keepInLocals(statement, used, new Set(), written);
  }

  /** A loop that may call functions keeps those variables in locals that no function assigns to. */
  private topLoop(node: typescript.Node): void {
    const isWanted = (name: string, at: typescript.Node) =>
      this.isShared(name, at) && !this.notebook.changing.has(name) && !this.ownChanging.has(name);
    const { used, written, patterns } = loopNames(this.ts, node, isWanted);
    for (const name of patterns) {
      used.delete(name);
      written.delete(name);
    }
    this.keepInLocals(node, used, written, new Set());
  }

  /**
   * @param names what it keeps in locals
   * @param through those that are assigned to together with their locals
   * @param late those that wait for the loop's end, or for {@link iterationsBetween}, since what stops a loop from outside
   * leaves it no end
   */
  private keepInLocals(
    loop: typescript.Node,
    names: ReadonlySet<string>,
    through: ReadonlySet<string>,
    late: ReadonlySet<string>,
  ): void {
    const { kept: outer, scratch } = this;
    // No name begins with a digit.
    const counter = `${scratch}0`;
    const save = [...late].map((name) => `${this.variable(name)} = ${this.localOf(name)}; `).join("");
    const locals = [...names]
      .filter((name) => !this.isKept(name))
      .map((name) => `${this.localOf(name)} = ${this.variable(name)}`);
    if (save !== "") locals.push(`${counter} = 0`);
    if (through.size > 0) locals.push(scratch);
    const opened = locals.length > 0 ? `{ let ${locals.join(", ")}; ` : "";
    this.edits.insert(loop.getStart(), `${opened}${save === "" ? "" : "try { "}`);
    this.kept = { names, through, depth: this.depth };
    if (save === "") this.visit(loop);
    else {
      const keep = `if ((${counter} = (${counter} + 1) & ${iterationsBetween - 1}) === 0) { ${save}} `;
      const bodies = this.bodiesIn(loop);
      for (const body of bodies)
        if (this.ts.isBlock(body)) this.edits.insert(body.getStart() + 1, ` ${keep}`);
        else this.edits.insert(body.getStart(), `{ ${keep}`);
      this.visit(loop);
      for (const body of [...bodies].reverse()) if (!this.ts.isBlock(body)) this.edits.insert(body.end, " }");
    }
    this.kept = outer;
    this.edits.insert(loop.end, `${save === "" ? "" : ` } finally { ${save}}`}${opened === "" ? "" : " }"}`);
  }

  /** The bodies of a hot loop and of those inside it, the outermost first. */
  private bodiesIn(loop: typescript.Node): typescript.Statement[] {
    const bodies: typescript.Statement[] = [];
    const collect = (node: typescript.Node): void => {
      if (this.ts.isIterationStatement(node, false)) bodies.push(node.statement);
      this.ts.forEachChild(node, collect);
    };
    collect(loop);
    return bodies;
  }

  private replace(node: typescript.Node, text: string): void {
    this.edits.replace(this.code, node.getStart(), node.end, text);
  }
}
