// Loops at a cell's top level that call functions. A variable that no function assigns to, in whatever cell, cannot
// change behind such a loop's back: while a cell's own code runs, no other cell's does. The loop reads it from a local,
// which is what V8 makes fast, and assigns to both, so that functions see each value at once.
import type typescript from "typescript";
import type { Ts } from "./compilerApi";
import { declaredNames, isAssignedAround, isAssignedTo, isReference, runsLater } from "./scopes";

type IsShared = (name: string, node: typescript.Node) => boolean;

/** The names of a module that change at any time: what its functions assign to, and what it imports. */
export function changingNames(ts: Ts, file: typescript.SourceFile, isShared: IsShared): Set<string> {
  const names = new Set<string>();
  const visit = (node: typescript.Node, isInside: boolean): void => {
    if (ts.isImportClause(node) && node.name) names.add(node.name.text);
    else if (ts.isImportSpecifier(node) || ts.isNamespaceImport(node)) names.add(node.name.text);
    else if (isInside && ts.isIdentifier(node) && isReference(ts, node) && isShared(node.text, node))
      if (isAssignedTo(ts, node) || isAssignedAround(ts, node)) names.add(node.text);
    const isNowInside = isInside || runsLater(ts, node);
    ts.forEachChild(node, (child) => visit(child, isNowInside));
  };
  visit(file, false);
  return names;
}

/** The loop that a statement is, behind its labels. */
export function loopOf(ts: Ts, node: typescript.Node): typescript.IterationStatement | null {
  let inner = node;
  while (ts.isLabeledStatement(inner)) inner = inner.statement;
  return ts.isIterationStatement(inner, false) ? inner : null;
}

/** What a loop does with names outside functions. */
export interface LoopNames {
  used: Set<string>;
  /** Those that it assigns to. */
  written: Set<string>;
  /** Those among them that it assigns to by a pattern or in the head of a loop. */
  patterns: Set<string>;
}

export function loopNames(ts: Ts, loop: typescript.Node, isWanted: IsShared): LoopNames {
  const names: LoopNames = { used: new Set(), written: new Set(), patterns: new Set() };
  const add = (name: string, isWritten: boolean, isPattern: boolean): void => {
    names.used.add(name);
    if (isWritten) names.written.add(name);
    if (isPattern) names.patterns.add(name);
  };
  const visit = (node: typescript.Node): void => {
    if (runsLater(ts, node)) return;
    if (ts.isVariableDeclaration(node)) {
      const isHead = ts.isForOfStatement(node.parent.parent) || ts.isForInStatement(node.parent.parent);
      const isAlone = ts.isIdentifier(node.name) && !isHead;
      for (const name of declaredNames(ts, node.name))
        if (isWanted(name.text, name)) add(name.text, true, !isAlone);
    }
    if (ts.isIdentifier(node) && isReference(ts, node) && isWanted(node.text, node)) {
      const isPattern = isAssignedAround(ts, node);
      add(node.text, isPattern || isAssignedTo(ts, node), isPattern);
    }
    ts.forEachChild(node, visit);
  };
  visit(loop);
  return names;
}

/** True where nobody uses what an expression gives. */
export function isUnused(ts: Ts, node: typescript.Expression): boolean {
  const { parent } = node;
  return ts.isExpressionStatement(parent) || (ts.isForStatement(parent) && parent.condition !== node);
}
