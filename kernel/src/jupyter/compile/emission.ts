// From the compiler's program to code that the main thread runs: cells as functions, the notebook's files as CommonJS.
import type typescript from "typescript";
import { checkpoints } from "./checkpoints";
import type { Ts } from "./compilerApi";
import { markHotLoops } from "./hotLoops";
import type { CompiledCell, CompiledFile } from "./messages";
import { type Continued, writeOutMembers } from "./namespaces";
import { toFunctionBody, type Variables } from "./oneScope";
import { cellStatements } from "./statements";

interface Emitted {
  code: string;
  map: string;
}

const withoutMapComment = (code: string) => code.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "");
const linesOf = (code: string) => code.split("\n").length;

/**
 * @param continued what the cell's namespaces have from earlier cells
 */
export function emitCell(
  ts: Ts,
  program: typescript.Program,
  file: typescript.SourceFile,
  variables: Variables,
  continued: Continued,
): { cell: Omit<CompiledCell, "fresh">; changing: string[] } {
  const checker = program.getTypeChecker();
  const before = [
    writeOutMembers(ts, checker, continued),
    markHotLoops(ts, program),
    cellStatements(ts, checker),
  ];
  const { code, map } = emit(program, file, { before });
  const { text, prologue, changing, ...body } = toFunctionBody(ts, code, variables);
  const cell = { ...body, code: text, maps: [map], firstColumn: prologue, lines: linesOf(code) };
  return { cell, changing };
}

/** A file of the notebook's own. */
export function emitFile(ts: Ts, program: typescript.Program, file: typescript.SourceFile): CompiledFile {
  const { code, map } = emit(program, file);
  const imports: string[] = [];
  const collect: typescript.TransformerFactory<typescript.SourceFile> = () => (module) => {
    for (const statement of module.statements)
      if (
        (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) &&
        statement.moduleSpecifier &&
        ts.isStringLiteral(statement.moduleSpecifier)
      )
        imports.push(statement.moduleSpecifier.text);
    return module;
  };
  const output = ts.transpileModule(code, {
    fileName: "module.js",
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
      target: ts.ScriptTarget.ES2022,
      newLine: ts.NewLineKind.LineFeed,
      sourceMap: true,
    },
    transformers: { before: [collect, checkpoints(ts)] },
  });
  const text = withoutMapComment(output.outputText);
  return {
    path: file.fileName.replace(/\.[cm]?[jt]sx?$/, ".js"),
    title: file.fileName,
    source: file.text,
    code: text,
    maps: [output.sourceMapText ?? "", map].filter((each) => each !== ""),
    shifts: [],
    firstColumn: 0,
    lines: linesOf(text),
    imports,
  };
}

function emit(
  program: typescript.Program,
  file: typescript.SourceFile,
  transformers?: typescript.CustomTransformers,
): Emitted {
  const emitted: Emitted = { code: "", map: "" };
  const keep: typescript.WriteFileCallback = (name, text) => {
    if (name.endsWith(".map")) emitted.map = text;
    else if (/\.[cm]?jsx?$/.test(name)) emitted.code = withoutMapComment(text);
  };
  program.emit(file, keep, undefined, false, transformers);
  return emitted;
}
