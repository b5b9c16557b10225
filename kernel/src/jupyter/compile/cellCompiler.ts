import { join } from "node:path";
import type typescript from "typescript";
import { loadConverter } from "../tslab";
import { augmentationsOf } from "./augmentations";
import { nestingOf, parseModule, syntaxErrorsOf, type Ts } from "./compilerApi";
import { type Completion, complete, printInfo } from "./completion";
import { describe } from "./diagnostics";
import { emitCell, emitFile } from "./emission";
import type { CompiledFile, Conversion, Diagnostic } from "./messages";
import { NotebookProgram } from "./notebookProgram";

/** Characters. */
const longestTyped = 1 << 20;
/**
 * Levels of nesting: a sum of as many terms, as many brackets. The compiler's time grows with their square, to seconds
 * here, and its stack ends at some thousands.
 */
const deepestNesting = 2000;
const tooDeepText =
  "The compiler cannot follow a cell that is nested so deeply; name the inner parts, or read them with JSON.parse.";
/** TypeScript's number of this error: the text may go on over more lines. */
const unterminatedTemplate = 1160;
const outOfStackText =
  "The compiler cannot follow a cell whose types follow from each other in so many steps; write some of them out.";

/** Compiles cells, one after the other, each inside those before. */
export class CellCompiler {
  private readonly notebook: NotebookProgram;
  private readonly tslab: ReturnType<typeof loadConverter>;
  /** The conversion whose cell is the draft. */
  private draftId = 0;
  /** The notebook's files that the main thread has as they are. */
  private readonly delivered = new Set<string>();

  constructor(
    private readonly ts: Ts,
    private readonly folder: string,
  ) {
    this.notebook = new NotebookProgram(ts, folder);
    this.tslab = loadConverter(ts);
    // While nobody waits yet: most of the time of the first cell.
    this.notebook.program();
  }

  convert(id: number, source: string): Conversion {
    try {
      return this.compile(id, source);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // The compiler's stack has run out. It must not meet this text again.
      const { cells } = this.notebook;
      cells.write(cells.draft, "", this.ts.ScriptKind.TS);
      return refused(outOfStackText);
    }
  }

  private compile(id: number, source: string): Conversion {
    const { ts, notebook } = this;
    const { cells } = notebook;
    // Those that import a changed file have to be evaluated anew, too.
    if (notebook.refresh()) this.delivered.clear();
    const complaint = notebook.takeComplaint();
    const nothing: Conversion = {
      diagnostics: [],
      notices: complaint ? [complaint] : [],
      files: [],
      declared: [],
    };
    const { module, mode, jsx } = this.tslab.getCodeMetadata(source);
    if (module) return { ...nothing, diagnostics: this.addModule(module, source, jsx === true) };
    // As in tslab, a cell for the browser does nothing.
    if (mode === "browser") return nothing;
    const kind = this.kindOf(source);
    if (this.isTooDeep(source, kind)) return refused(tooDeepText);
    cells.prune();
    cells.write(cells.scratch, "", kind);
    cells.write(cells.draft, source, kind);
    if (/\bdeclare\b/.test(source))
      cells.replaceAugmentations(augmentationsOf(ts, parseModule(ts, source, kind)));
    this.draftId = id;
    const program = notebook.program();
    const file = sourceOf(program, cells.draft.path);
    const own = notebook
      .dependencies(file.fileName)
      .slice(1)
      .flatMap((path) => program.getSourceFile(path) ?? []);
    const diagnostics = [
      ...this.check(program, file, null),
      ...own.flatMap((each) => this.check(program, each, this.folder)),
    ];
    if (diagnostics.length > 0) return { ...nothing, diagnostics };
    cells.describe(program, file);
    const { values, ambient, continued, fresh } = cells.draft;
    const declared = new Set([...values].filter((name) => !ambient.has(name)));
    const files = own.flatMap((each) => this.deliver(program, each));
    const { variables: known, changing } = cells;
    const variables = { declared, known, changing };
    const emitted = emitCell(ts, program, file, variables, continued);
    cells.draft.changing = emitted.changing;
    const cell = { ...emitted.cell, fresh: fresh.filter((name) => declared.has(name)) };
    return { ...nothing, cell, files, declared: [...declared] };
  }

  adopt(id: number): void {
    if (id === this.draftId) this.notebook.cells.adopt();
    this.draftId = 0;
  }

  forget(names: string[]): void {
    this.notebook.cells.forget(names);
  }

  /** Offsets are in UTF-16 units. */
  complete(source: string, offset: number): Completion {
    return complete(this.notebook.service, this.typed(source), source, offset);
  }

  /** The text about what stands at the offset (in UTF-16 units), or null. */
  inspect(source: string, offset: number): string | null {
    this.notebook.readDocumentation();
    const info = this.notebook.service.getQuickInfoAtPosition(this.typed(source), offset);
    return info ? printInfo(this.ts, info) : null;
  }

  /**
   * Whether the code could be run as it stands. As in tslab, an empty last line ends it in any case; `unknown` is the
   * answer about code that is too long to be typed.
   */
  isComplete(source: string): { status: "complete" | "incomplete" | "invalid" | "unknown"; indent?: string } {
    if (source.length > longestTyped) return { status: "unknown" };
    const { completed, indent = "" } = this.tslab.isCompleteCode(source);
    if (!completed) return { status: "incomplete", indent };
    const errors = syntaxErrorsOf(parseModule(this.ts, source, this.kindOf(source))).map(({ code }) => code);
    if (errors.includes(unterminatedTemplate)) return { status: "incomplete", indent: "" };
    return { status: errors.length === 0 ? "complete" : "invalid" };
  }

  /** Makes this text what is being typed; @returns its path */
  private typed(source: string): string {
    const { notebook } = this;
    const { scratch } = notebook.cells;
    if (notebook.refresh()) this.delivered.clear();
    const kind = this.kindOf(source);
    if (this.isTooDeep(source, kind)) throw new RangeError(tooDeepText);
    try {
      notebook.cells.write(scratch, source, kind);
      notebook.program();
    } catch (error) {
      notebook.cells.write(scratch, "", this.ts.ScriptKind.TS);
      throw error;
    }
    return scratch.path;
  }

  /** TypeScript, unless only TSX can be meant. */
  private kindOf(source: string): typescript.ScriptKind {
    const { TS, TSX } = this.ts.ScriptKind;
    if (!/<\/|\/>/.test(source)) return TS;
    const isWrong = (kind: typescript.ScriptKind) =>
      syntaxErrorsOf(parseModule(this.ts, source, kind)).length > 0;
    return isWrong(TS) && !isWrong(TSX) ? TSX : TS;
  }

  private isTooDeep(source: string, kind: typescript.ScriptKind): boolean {
    if (source.length <= deepestNesting) return false;
    return nestingOf(this.ts, parseModule(this.ts, source, kind)) > deepestNesting;
  }

  private check(
    program: typescript.Program,
    file: typescript.SourceFile,
    folder: string | null,
  ): Diagnostic[] {
    const syntactic = program.getSyntacticDiagnostics(file);
    const found = syntactic.length > 0 ? syntactic : program.getSemanticDiagnostics(file);
    return describe(this.ts, found, file, folder);
  }

  private deliver(program: typescript.Program, file: typescript.SourceFile): CompiledFile[] {
    if (file.isDeclarationFile || file.fileName.endsWith(".json") || this.delivered.has(file.fileName))
      return [];
    this.delivered.add(file.fileName);
    return [emitFile(this.ts, program, file)];
  }

  private addModule(name: string, source: string, jsx: boolean): Diagnostic[] {
    const { notebook } = this;
    const path = join(this.folder, `${name}.${jsx ? "tsx" : "ts"}`).replaceAll("\\", "/");
    notebook.addModule(path, source);
    this.delivered.clear();
    const program = notebook.program();
    return this.check(program, sourceOf(program, path), null);
  }
}

function refused(messageText: string): Conversion {
  const start = { offset: 0, line: 0, character: 0 };
  const diagnostics = [{ start, end: start, messageText }];
  return { diagnostics, notices: [], files: [], declared: [] };
}

function sourceOf(program: typescript.Program, path: string): typescript.SourceFile {
  const file = program.getSourceFile(path);
  if (!file) throw new Error(`the compiler has not read ${path}`);
  return file;
}
