// The TypeScript compiler as tslab's converter gets to see it.
import { join } from "node:path";
import type typescript from "@tslab/typescript-for-tslab";
import { checkpoints } from "./checkpoints";
import type { FileChanges } from "./fileChanges";
import { shorthandOfEarlierCells } from "./shorthand";
import { globalTypes, isInstalled, TypeResolution } from "./typeResolution";

type Ts = typeof typescript;
type Builder = typescript.BuilderProgram;
type WatchHost = typescript.WatchCompilerHostOfFilesAndCompilerOptions<Builder>;

/** Declares what cells have besides Node's globals. */
const globals = join(__dirname, "../globals.d.ts");

/** What is known about compiled code besides its text. */
export interface Emitted {
  /** JSON source maps, the last step first. */
  maps: string[];
  lines: number;
  /** The TypeScript file that it was made from, and its text. */
  fileName: string;
  source: string;
  /** What it requires. */
  imports: string[];
}

/**
 * A copy of the compiler's interface in which two functions are changed, and their by-products:
 * `createWatchCompilerHost` resolves what a notebook imports from anywhere, leaves out other folders' global types,
 * looks at files instead of watching them and keeps source maps; `transpileModule` adds the checkpoints.
 */
export class Compiler {
  readonly facade: Ts;
  private documented = false;
  /** Has files read again that were read without their documentation. */
  private readonly undocumented: (() => void)[] = [];
  /** By the text of the ES module … */
  private readonly modules = new Map<string, { map: string; fileName: string; source: string }>();
  /** … and of the CommonJS code that was made from it. */
  private readonly scripts = new Map<string, Emitted>();

  constructor(
    private readonly ts: Ts,
    private readonly folder: string,
    private readonly changes: FileChanges,
  ) {
    this.facade = {
      ...ts,
      sys: {
        ...ts.sys,
        readFile: (path, encoding) => this.read(path, encoding),
        watchFile: (path, changed) => this.watch(path, changed),
        watchDirectory: () => idle,
      },
      createWatchCompilerHost: ((...args: Parameters<typeof this.createHost>) =>
        this.createHost(...args)) as Ts["createWatchCompilerHost"],
      createWatchProgram: ((host: WatchHost) => this.createProgram(host)) as Ts["createWatchProgram"],
      transpileModule: (source, options) => this.transpile(source, options),
    };
  }

  /** TypeScript's numbers of the syntax errors in the text. */
  syntaxErrors(source: string): number[] {
    const { ts } = this;
    const options = { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext };
    const { diagnostics } = ts.transpileModule(source, { compilerOptions: options, reportDiagnostics: true });
    return (diagnostics ?? []).map(({ code }) => code);
  }

  /** The by-products of compiled code that has just been made; they are given out once. */
  take(code: string): Emitted | undefined {
    const emitted = this.scripts.get(code);
    this.scripts.delete(code);
    return emitted;
  }

  /**
   * Reads the documentation of installed packages, too, from now on. Up to the first call it is skipped: it is most of
   * their text, and parsing it takes longer than anything else at the start of a kernel.
   */
  readDocumentation(): void {
    if (this.documented) return;
    this.documented = true;
    for (const reread of this.undocumented.splice(0)) reread();
  }

  private read(path: string, encoding?: string): string | undefined {
    const text = this.ts.sys.readFile(path, encoding);
    // What is no documentation comment is not parsed; the positions stay the same.
    return this.documented || !hasOwnDocumentation(path) ? text : text?.replace(/\/\*\*(?!\/)/g, "/* ");
  }

  private watch(path: string, changed: typescript.FileWatcherCallback): typescript.FileWatcher {
    const report = () => changed(path, this.ts.FileWatcherEventKind.Changed);
    if (!isInstalled(path) && path.startsWith(`${this.folder}/`)) return this.changes.add(path, report);
    if (!this.documented && hasOwnDocumentation(path)) this.undocumented.push(report);
    return idle;
  }

  /** A program that also declares the globals of a cell. */
  private createProgram(host: WatchHost): typescript.WatchOfFilesAndCompilerOptions<Builder> {
    host.rootFiles = [...host.rootFiles, globals];
    const watch = this.ts.createWatchProgram(host);
    return { ...watch, updateRootFileNames: (files) => watch.updateRootFileNames([...files, globals]) };
  }

  private createHost(
    rootFiles: string[],
    options: typescript.CompilerOptions,
    system: typescript.System,
    _createProgram: unknown,
    report: typescript.DiagnosticReporter,
    reportStatus: typescript.WatchStatusReporter,
  ): WatchHost {
    const { ts } = this;
    const settings = { ...options, ...globalTypes(ts, this.folder, system), sourceMap: true };
    // The plainest kind of program: others keep, for every file, what depends on it, which doubles a cell's time.
    const create: typescript.CreateProgram<Builder> = ts.createAbstractBuilder;
    const host = ts.createWatchCompilerHost(rootFiles, settings, system, create, report, reportStatus);
    const types = new TypeResolution(ts, this.folder, settings, system);
    host.resolveModuleNameLiterals = (literals, from) =>
      types.resolveAll(
        literals.map(({ text }) => text),
        from,
      );
    host.resolveTypeReferenceDirectiveReferences = (names, from) => types.resolveReferences(names, from);
    host.hasInvalidatedResolutions = types.isIncomplete;
    // The converter sets this after it has got the host, to be given the program.
    let created: ((program: Builder) => void) | undefined;
    Object.defineProperty(host, "afterProgramCreate", {
      get: () => created,
      set: (take: (program: Builder) => void) => {
        created = (program) => take(this.extended(program, types));
      },
    });
    return host;
  }

  /** The program as the converter expects it, knowing what depends on what, and keeping source maps. */
  private extended(program: Builder, types: TypeResolution): Builder {
    // The converter reads a file's locals, which are there once a type checker is.
    program.getProgram().getTypeChecker();
    const emit: Builder["emit"] = (file, write, token, onlyDeclarations, transformers) => {
      let map = "";
      const keep: typescript.WriteFileCallback = (name, text, ...more) => {
        if (name.endsWith(".js.map")) map = text;
        else if (!name.endsWith(".js")) write?.(name, text, ...more);
        else {
          const code = withoutMapComment(text);
          this.modules.set(code, { map, fileName: file?.fileName ?? "", source: file?.text ?? "" });
          write?.(name, code, ...more);
        }
      };
      const shorthand = shorthandOfEarlierCells(this.ts, program.getProgram().getTypeChecker());
      const after = [shorthand, ...(transformers?.after ?? [])];
      return program.emit(file, keep, token, onlyDeclarations, { ...transformers, after });
    };
    const getAllDependencies: Builder["getAllDependencies"] = ({ fileName }) => types.dependencies(fileName);
    return Object.assign(Object.create(program), { emit, getAllDependencies });
  }

  private transpile(source: string, options: typescript.TranspileOptions): typescript.TranspileOutput {
    const { ts } = this;
    const imports: string[] = [];
    const collect: typescript.TransformerFactory<typescript.SourceFile> = () => (file) => {
      for (const statement of file.statements)
        if (
          (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) &&
          statement.moduleSpecifier &&
          ts.isStringLiteral(statement.moduleSpecifier)
        )
          imports.push(statement.moduleSpecifier.text);
      return file;
    };
    const output = ts.transpileModule(source, {
      ...options,
      compilerOptions: { ...options.compilerOptions, sourceMap: true },
      transformers: { before: [collect, checkpoints(ts)] },
    });
    const outputText = withoutMapComment(output.outputText);
    const origin = this.modules.get(source);
    this.modules.delete(source);
    this.scripts.set(outputText, {
      maps: [output.sourceMapText ?? "", origin?.map ?? ""].filter((map) => map !== ""),
      lines: outputText.split("\n").length,
      fileName: origin?.fileName ?? "",
      source: origin?.source ?? source,
      imports,
    });
    return { ...output, outputText };
  }
}

const hasOwnDocumentation = (path: string) => isInstalled(path) && path.endsWith(".d.ts");

const idle: typescript.FileWatcher = { close() {} };
const withoutMapComment = (code: string) => code.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "");
