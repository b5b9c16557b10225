import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { compiled, findMutants } from "./mutate.mjs";

/** Where a file has constants that other files see, and where it has functions. */
function rangesOf(code) {
  const source = ts.createSourceFile("file.ts", code, ts.ScriptTarget.Latest);
  const exported = source.statements.filter(
    (statement) =>
      ts.isVariableStatement(statement) &&
      statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword),
  );
  const functions = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node)) functions.push(node);
    else ts.forEachChild(node, visit);
  };
  visit(source);
  return { exported, functions };
}

/**
 * Every fault of some files.
 * @param files as `filesOfRooms` gives them
 * @returns of each fault its file's fields, what `findMutants` says, its `number` in the file, whether it is in a constant that
 * other files see (`isExported`), and whether something must be called to come to it (`isInFunction`)
 */
export function faultsOf(root, files) {
  return files.flatMap((file) => {
    const code = readFileSync(join(root, file.source), "utf8");
    if (file.library && readFileSync(join(root, file.library), "utf8") !== compiled(code)) {
      console.error(
        `check:mutants: ${file.library} must be what ${file.source} makes (it is not); npm run setup`,
      );
      process.exit(1);
    }
    const { exported, functions } = rangesOf(code);
    return findMutants(file.path, code).map((mutant, number) => {
      const at = mutant.expression.start;
      const isIn = (ranges) => ranges.some(({ pos, end }) => at >= pos && at < end);
      return { ...mutant, ...file, number, isExported: isIn(exported), isInFunction: isIn(functions) };
    });
  });
}
