import { join, relative } from "node:path";
import type typescript from "@tslab/typescript-for-tslab";
import type { CompletionInfo, Converter } from "tslab/dist/converter";
import { loadConverter } from "../tslab";
import { Compiler } from "./compiler";
import { declaredValues, withoutValues } from "./declarations";
import { FileChanges } from "./fileChanges";
import type { CompiledFile, Conversion } from "./messages";

/** Characters. */
const longestTyped = 1 << 20;
/** TypeScript's number of this error: the text may go on over more lines. */
const unterminatedTemplate = 1160;
/** Conversions whose declarations are kept until it is known whether the cell runs. */
const undecided = 16;

/** Compiles cells, one after the other, each with the declarations of those before. */
export class CellCompiler {
  private readonly changes = new FileChanges();
  private readonly compiler: Compiler;
  private readonly tslab: ReturnType<typeof loadConverter>;
  private converter: Converter;
  /** Modules that cells define with `@module`. */
  private readonly virtualFiles = new Set<string>();
  private declarations = "";
  private readonly pending = new Map<number, string>();

  constructor(
    private readonly ts: typeof typescript,
    private readonly folder: string,
  ) {
    this.compiler = new Compiler(ts, folder, this.changes);
    this.tslab = loadConverter(this.compiler.facade);
    this.converter = this.createConverter();
  }

  convert(id: number, source: string): Conversion {
    this.changes.check();
    const nothing: Conversion = {
      diagnostics: [],
      files: [],
      values: declaredValues(this.ts, this.declarations),
    };
    const { module, mode, jsx } = this.tslab.getCodeMetadata(source);
    if (module) {
      this.virtualFiles.add(module);
      return { ...nothing, diagnostics: this.converter.addModule(module, source, { jsx }) };
    }
    // As in tslab, a cell for the browser does nothing.
    if (mode === "browser") return nothing;
    const result = this.convertText(source);
    const {
      diagnostics,
      output,
      lastExpressionVar,
      hasToplevelAwait,
      declOutput = "",
      sideOutputs = [],
    } = result;
    if (diagnostics.length > 0) return { ...nothing, diagnostics };
    this.pending.set(id, declOutput);
    for (const oldest of this.pending.keys()) if (this.pending.size > undecided) this.pending.delete(oldest);
    return {
      diagnostics,
      output,
      emitted: this.compiler.take(output ?? ""),
      lastExpressionVar,
      hasToplevelAwait,
      files: sideOutputs.flatMap(({ path, data }) => this.compiledFile(path, data)),
      values: declaredValues(this.ts, declOutput),
    };
  }

  private createConverter(): Converter {
    return this.tslab.createConverter({ isJS: false, isBrowser: false });
  }

  private convertText(source: string): ReturnType<Converter["convert"]> {
    try {
      return this.converter.convert(this.declarations, source);
    } catch (error) {
      // It has stopped half-way (its stack was full, say) and would stumble over what it left at the next cell.
      this.converter = this.createConverter();
      throw error;
    }
  }

  adopt(id: number): void {
    this.declarations = this.pending.get(id) ?? this.declarations;
    this.pending.delete(id);
  }

  forget(names: string[]): void {
    this.declarations = withoutValues(this.ts, this.declarations, new Set(names));
  }

  /** Offsets are in UTF-16 units. */
  complete(source: string, offset: number): CompletionInfo {
    this.changes.check();
    return this.converter.complete(this.declarations, source, offset);
  }

  /** The text about what stands at the offset (in UTF-16 units), or null. */
  inspect(source: string, offset: number): string | null {
    this.compiler.readDocumentation();
    this.changes.check();
    // The declared type is wrong: there is no information about white space.
    const info: ReturnType<Converter["inspect"]> | undefined = this.converter.inspect(
      this.declarations,
      source,
      offset,
    );
    return info ? this.tslab.printQuickInfo(info) : null;
  }

  /**
   * Whether the code could be run as it stands. As in tslab, an empty last line ends it in any case; `unknown` is the
   * answer about code that is too long to be typed.
   */
  isComplete(source: string): { status: "complete" | "incomplete" | "invalid" | "unknown"; indent?: string } {
    if (source.length > longestTyped) return { status: "unknown" };
    const { completed, indent = "" } = this.tslab.isCompleteCode(source);
    if (!completed) return { status: "incomplete", indent };
    const errors = this.compiler.syntaxErrors(source);
    if (errors.includes(unterminatedTemplate)) return { status: "incomplete", indent: "" };
    return { status: errors.length === 0 ? "complete" : "invalid" };
  }

  private compiledFile(path: string, data: string): CompiledFile[] {
    const emitted = this.compiler.take(data);
    if (!emitted) return [];
    const isVirtual = this.virtualFiles.has(relative(this.folder, path).replace(/\.js$/, ""));
    const name = emitted.fileName.replace(/^.*\//, "");
    return [{ path, data, emitted, title: join(path, "..", name), extraLines: isVirtual ? 1 : 0 }];
  }
}
