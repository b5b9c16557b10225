// The compiler's language service, which sees the cells, what they import from anywhere, and the types of this Node.
import { join } from "node:path";
import type typescript from "typescript";
import { CellFiles } from "./cellFiles";
import type { Ts } from "./compilerApi";
import { FileChanges } from "./fileChanges";
import { type CellOptions, cellOptions } from "./options";
import { globalTypes, isInstalled, TypeResolution } from "./typeResolution";

/** Declares what cells have besides Node's globals. */
const globals = join(__dirname, "../globals.d.ts");

interface Text {
  version: string;
  snapshot: typescript.IScriptSnapshot;
}

/** What the compiler asks of its host besides what is published. */
interface Host extends typescript.LanguageServiceHost {
  hasInvalidatedResolutions(path: string): boolean;
  /** Remembers the package.json files, which are looked at for every file of a package. */
  getModuleResolutionCache(): typescript.ModuleResolutionCache;
}

export class NotebookProgram {
  readonly cells: CellFiles;
  readonly service: typescript.LanguageService;
  /** Modules that cells define with `@module`, by path. */
  readonly modules = new Map<string, string>();
  private readonly changes = new FileChanges();
  private readonly versions = new Map<string, number>();
  private readonly texts = new Map<string, Text>();
  private readonly system: typescript.System;
  private settings: CellOptions;
  private resolution: TypeResolution;
  private packages: typescript.ModuleResolutionCache;
  private documented = false;
  /** Grows with every change but those of cells. */
  private version = 0;
  private complaint: string | null = null;

  constructor(
    private readonly ts: Ts,
    readonly folder: string,
  ) {
    this.system = {
      ...ts.sys,
      fileExists: (path) => this.modules.has(path) || ts.sys.fileExists(path),
      readFile: (path) => this.modules.get(path) ?? ts.sys.readFile(path),
    };
    this.cells = new CellFiles(ts, folder);
    this.settings = this.readSettings();
    this.resolution = this.newResolution();
    this.packages = this.newCache();
    this.service = ts.createLanguageService(this.host(), ts.createDocumentRegistry(true, folder));
  }

  get options(): typescript.CompilerOptions {
    return this.settings.options;
  }

  /** The program of what is written now, with every cell inside the one before. */
  program(): typescript.Program {
    const program = this.service.getProgram();
    if (!program) throw new Error("the compiler has no program");
    // A checker makes the scopes; what is inside what is said afterwards.
    program.getTypeChecker();
    this.cells.link(program);
    return program;
  }

  /** Looks at the notebook's files. @returns whether one has changed: what was made of them is then made anew */
  refresh(): boolean {
    const changed = this.changes.check();
    // What was missing may have come.
    if (this.resolution.isAnyIncomplete) this.version++;
    if (changed.size === 0) return false;
    for (const path of changed) this.changed(path);
    if (this.settings.files.some((file) => changed.has(file))) {
      this.settings = this.readSettings();
      this.resolution = this.newResolution();
      this.packages = this.newCache();
    }
    return true;
  }

  addModule(path: string, text: string): void {
    this.modules.set(path, text);
    this.changed(path);
  }

  /** What is wrong with tsconfig.json, once. */
  takeComplaint(): string | null {
    const { complaint } = this;
    this.complaint = null;
    return complaint;
  }

  /** The notebook's own files that this one needs, itself first. */
  dependencies(file: string): string[] {
    return this.resolution.dependencies(file);
  }

  /**
   * Reads the documentation of installed packages, too, from now on. Up to the first call it is skipped: it is most of
   * their text, and parsing it takes longer than anything else at the start of a kernel.
   */
  readDocumentation(): void {
    if (!this.documented) this.version++;
    this.documented = true;
  }

  private changed(path: string): void {
    this.versions.set(path, (this.versions.get(path) ?? 0) + 1);
    this.version++;
  }

  private readSettings(): CellOptions {
    const settings = cellOptions(this.ts, this.folder, this.system);
    for (const file of settings.files) this.changes.add(file);
    this.complaint = settings.complaint;
    const types = globalTypes(this.ts, this.folder, this.system);
    return { ...settings, options: { ...types, ...settings.options } };
  }

  private newResolution(): TypeResolution {
    return new TypeResolution(this.ts, this.folder, this.settings.options, this.system);
  }

  private newCache(): typescript.ModuleResolutionCache {
    return this.ts.createModuleResolutionCache(this.folder, (path) => path, this.settings.options);
  }

  private host(): Host {
    const { ts, system, cells } = this;
    const byPath = new Map<string, (typeof cells.all)[number]>();
    const cellAt = (path: string) => {
      if (byPath.size < cells.all.length) for (const cell of cells.all) byPath.set(cell.path, cell);
      return byPath.get(path);
    };
    const versionOf = (path: string): string => {
      const cell = cellAt(path);
      if (cell) return String(cell.version);
      return hasOwnDocumentation(path) ? String(this.documented) : String(this.versions.get(path) ?? 0);
    };
    return {
      getCompilationSettings: () => this.settings.options,
      getScriptFileNames: () => [...cells.all.map(({ path }) => path), globals, ...this.modules.keys()],
      getProjectVersion: () => `${cells.version} ${this.version}`,
      getScriptVersion: versionOf,
      getScriptKind: (path) => cellAt(path)?.kind ?? ts.ScriptKind.Unknown,
      getScriptSnapshot: (path) => {
        const version = versionOf(path);
        const known = this.texts.get(path);
        if (known?.version === version) return known.snapshot;
        const text = cellAt(path)?.text ?? this.read(path);
        if (text === undefined) return undefined;
        const snapshot = ts.ScriptSnapshot.fromString(text);
        this.texts.set(path, { version, snapshot });
        return snapshot;
      },
      getCurrentDirectory: () => this.folder,
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
      useCaseSensitiveFileNames: () => true,
      fileExists: (path) => cellAt(path) !== undefined || system.fileExists(path),
      readFile: system.readFile,
      directoryExists: system.directoryExists,
      getDirectories: system.getDirectories,
      readDirectory: system.readDirectory,
      realpath: system.realpath,
      resolveModuleNameLiterals: (literals, from) =>
        this.resolution.resolveAll(
          literals.map(({ text }) => text),
          from,
        ),
      resolveTypeReferenceDirectiveReferences: (names, from) =>
        this.resolution.resolveReferences(names, from),
      getModuleResolutionCache: () => this.packages,
      hasInvalidatedResolutions: (path) => this.resolution.isIncomplete(path),
    };
  }

  private read(path: string): string | undefined {
    const text = this.system.readFile(path);
    if (!isInstalled(path)) this.changes.add(path);
    // What is no documentation comment is not parsed; the positions stay the same.
    return this.documented || !hasOwnDocumentation(path) ? text : text?.replace(/\/\*\*(?!\/)/g, "/* ");
  }
}

const hasOwnDocumentation = (path: string) => isInstalled(path) && path.endsWith(".d.ts");
