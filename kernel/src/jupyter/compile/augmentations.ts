import type typescript from "typescript";
import type { Ts } from "./compilerApi";

/** What a file says in `declare global` and `declare module`: "global Array.last", say. */
export function augmentationsOf(ts: Ts, file: typescript.SourceFile): Set<string> {
  const said = new Set<string>();
  for (const node of file.statements) {
    if (!isAugmentation(ts, node) || !node.body || !ts.isModuleBlock(node.body)) continue;
    for (const statement of node.body.statements)
      for (const name of namesOf(ts, statement)) said.add(`${node.name.text} ${name}`);
  }
  return said;
}

/** The text with blanks in their place. */
export function withoutAugmentations(ts: Ts, text: string): string {
  const file = ts.createSourceFile("cell.ts", text, ts.ScriptTarget.Latest);
  let rest = text;
  for (const node of file.statements)
    if (isAugmentation(ts, node)) {
      const blank = text.slice(node.pos, node.end).replace(/\S/g, " ");
      rest = rest.slice(0, node.pos) + blank + rest.slice(node.end);
    }
  return rest;
}

const isAugmentation = (ts: Ts, node: typescript.Statement): node is typescript.ModuleDeclaration =>
  ts.isModuleDeclaration(node) &&
  ((node.flags & ts.NodeFlags.GlobalAugmentation) !== 0 || ts.isStringLiteral(node.name));

function namesOf(ts: Ts, node: typescript.Statement): string[] {
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.map(({ name }) => nameOf(ts, name));
  if (ts.isInterfaceDeclaration(node))
    return node.members.map((member) => `${node.name.text}.${member.name ? nameOf(ts, member.name) : ""}`);
  if (ts.isDeclarationStatement(node) && node.name) return [nameOf(ts, node.name)];
  return [];
}

const nameOf = (ts: Ts, name: typescript.Node): string =>
  ts.isIdentifier(name) || ts.isStringLiteralLike(name) ? name.text : ts.SyntaxKind[name.kind];
