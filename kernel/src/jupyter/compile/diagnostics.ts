// What the compiler has to say about a cell, in the terms of what the user wrote.
import { relative } from "node:path";
import type typescript from "typescript";
import type { Ts } from "./compilerApi";
import type { Diagnostic } from "./messages";

/** Numbers of errors about what cannot be known of a notebook, each with its reason. */
const notErrors = new Set([
  // `let x;` in one cell, its values in others: its type is any, as told by 7034 and 7005 to programs.
  7005, 7034,
  // A package without types: a notebook has no place for declarations of them. What is imported is any.
  7016,
  // A namespace may go on in another cell than the class, function or namespace with its name began in.
  2433,
]);

/** @param file what was compiled: a cell, or a file of the notebook that is called by its path */
export function describe(
  ts: Ts,
  diagnostics: readonly typescript.Diagnostic[],
  file: typescript.SourceFile,
  folder: string | null,
): Diagnostic[] {
  const fileName = folder === null ? undefined : relative(folder, file.fileName);
  return diagnostics.flatMap((diagnostic) => {
    const { start = 0, length = 0, code, category, messageText } = diagnostic;
    if (notErrors.has(code) || diagnostic.file !== file || category !== ts.DiagnosticCategory.Error)
      return [];
    const place = (offset: number) => ({ offset, ...file.getLineAndCharacterOfPosition(offset) });
    const text = ts
      .flattenDiagnosticMessageText(messageText, "\n")
      // The compiler's names of the files that cells are to it.
      .replace(/import\("[^"]*__cell_\d+__"\)\./g, "");
    return [{ start: place(start), end: place(start + length), messageText: text, code, fileName }];
  });
}
