// What `import` finds at compile time: the counterpart of notebookModules.ts.
import { existsSync, readdirSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import type typescript from "typescript";
import type { Ts } from "./compilerApi";

type Resolution = typescript.ResolvedModuleWithFailedLookupLocations;

type Reference = typescript.ResolvedTypeReferenceDirectiveWithFailedLookupLocations;

const nowhere: Resolution = { resolvedModule: undefined };

/** A file that lies where this package's own imports are resolved from. */
const ownFile = join(__dirname, "notebook.ts");
const ownPackage = join(__dirname, "../../../").replaceAll("\\", "/");

/**
 * Resolves as tslab does (Node10), then with package.json `exports`, and what the notebook's own code imports also
 * from here. What installed packages import is looked up once, since they do not change under a running kernel.
 */
export class TypeResolution {
  private readonly found = new Map<string, Resolution>();
  /** The notebook's own files that each of them imports … */
  private readonly imported = new Map<string, string[]>();
  /** … and which of them import something that is not there. */
  private readonly incomplete = new Set<string>();

  private readonly references = new Map<string, Reference>();
  /** The ways to resolve, with what they remember of installed packages. */
  private readonly ways: { options: typescript.CompilerOptions; cache: typescript.ModuleResolutionCache }[];

  constructor(
    private readonly ts: Ts,
    folder: string,
    private readonly options: typescript.CompilerOptions,
    private readonly host: typescript.ModuleResolutionHost,
  ) {
    const { Node10, Bundler } = ts.ModuleResolutionKind;
    this.ways = [Node10, Bundler].map((moduleResolution) => {
      const way = { ...options, moduleResolution };
      return { options: way, cache: ts.createModuleResolutionCache(folder, (path) => path, way) };
    });
  }

  /** Resolves all that one file imports. */
  resolveAll(ids: readonly string[], from: string): Resolution[] {
    const resolutions = ids.map((id) => this.resolve(id, from));
    if (isInstalled(from)) return resolutions;
    const files = resolutions.map(({ resolvedModule }) => resolvedModule?.resolvedFileName);
    this.imported.set(from, files.filter((file) => file !== undefined && !isInstalled(file)) as string[]);
    if (ids.some((id, index) => files[index] === undefined && !isBuiltin(id))) this.incomplete.add(from);
    else this.incomplete.delete(from);
    return resolutions;
  }

  /** Resolves `/// <reference types="…" />`. */
  resolveReferences(names: readonly (string | typescript.FileReference)[], from: string): Reference[] {
    return names.map((each) => {
      const name = typeof each === "string" ? each : each.fileName.toLowerCase();
      const key = `${dirname(from)}\0${name}`;
      const reference =
        this.references.get(key) ??
        this.ts.resolveTypeReferenceDirective(name, from, this.options, this.host);
      this.references.set(key, reference);
      return reference;
    });
  }

  /** True when the file should be resolved anew although it has not changed: what it misses may have come. */
  isIncomplete = (file: string): boolean => this.incomplete.has(file);

  get isAnyIncomplete(): boolean {
    return this.incomplete.size > 0;
  }

  /** The notebook's own files that this one needs, itself first. */
  dependencies(file: string, seen = new Set<string>()): string[] {
    seen.add(file);
    for (const next of this.imported.get(file) ?? []) if (!seen.has(next)) this.dependencies(next, seen);
    return [...seen];
  }

  private resolve(id: string, from: string): Resolution {
    // Node takes its own modules first; their types are ambient.
    if (isBuiltin(id)) return nowhere;
    if (!isInstalled(from)) return this.search(id, [from, ownFile]);
    const key = `${dirname(from)}\0${id}`;
    const resolution = this.found.get(key) ?? this.search(id, [from]);
    this.found.set(key, resolution);
    return resolution;
  }

  private search(id: string, places: string[]): Resolution {
    let untyped: Resolution | undefined;
    for (const from of places)
      for (const { options, cache } of this.ways) {
        const known = isInstalled(from) ? cache : undefined;
        const resolution = this.ts.resolveModuleName(id, from, options, this.host, known);
        const extension = resolution.resolvedModule?.extension;
        if (extension && !/^\.[cm]?jsx?$/.test(extension)) return resolution;
        if (extension) untyped ??= resolution;
      }
    return untyped ?? nowhere;
  }
}

/** True for files of packages, which do not change while the kernel runs; false for the notebook's own. */
export const isInstalled = (file: string): boolean =>
  file.includes("/node_modules/") || file.startsWith(ownPackage);

/**
 * Which packages of global types a notebook sees: all in its own folder's node_modules/@types, as with tslab, and
 * always those of Node, from here if need be. (This checkout's own @types are not a notebook's.)
 */
export function globalTypes(ts: Ts, folder: string, host: typescript.ModuleResolutionHost) {
  const places = [__dirname, dirname(require.resolve("tslab/package.json"))];
  const ownRoot = dirname(dirname(require.resolve("@types/node/package.json", { paths: places })));
  const roots = (ts.getEffectiveTypeRoots({}, { ...host, getCurrentDirectory: () => folder }) ?? []).filter(
    (root) => root !== ownRoot && existsSync(root),
  );
  const names = roots.flatMap((root) => readdirSync(root));
  return { typeRoots: [...roots, ownRoot], types: [...new Set([...names, "node"])] };
}
