// How cells are type-checked: as this Node runs them, and as the tsconfig.json beside the notebook says.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type typescript from "typescript";
import type { Ts } from "./compilerApi";

type Options = typescript.CompilerOptions;

/** Options about files that are written, about modules, or about a whole project: those of a cell are given. */
const withoutMeaning = [
  ...["allowImportingTsExtensions", "allowJs", "assumeChangesOnlyAffectDirectDependencies"],
  ...["composite", "configFilePath", "customConditions", "declaration", "declarationDir", "declarationMap"],
  ...["disableSourceOfProjectReferenceRedirect", "emitBOM", "emitDeclarationOnly", "erasableSyntaxOnly"],
  ...["importHelpers", "importsNotUsedAsValues", "incremental", "inlineSourceMap", "inlineSources"],
  ...["isolatedDeclarations", "isolatedModules", "mapRoot", "module", "moduleDetection", "moduleResolution"],
  ...["moduleSuffixes", "newLine", "noEmit", "noEmitHelpers", "noEmitOnError", "noLib", "noResolve"],
  ...["noUnusedLocals", "noUnusedParameters", "out", "outDir", "outFile", "plugins", "preserveConstEnums"],
  ...[
    "preserveSymlinks",
    "preserveValueImports",
    "removeComments",
    "rewriteRelativeImportExtensions",
    "rootDir",
  ],
  ...[
    "rootDirs",
    "skipDefaultLibCheck",
    "skipLibCheck",
    "sourceMap",
    "sourceRoot",
    "stripInternal",
    "target",
  ],
  ...["tsBuildInfoFile", "verbatimModuleSyntax"],
];

/** The library of types for a version of Node.js, by its first number. */
function libraryOf(version: number): string[] {
  if (version >= 24) return ["lib.esnext.d.ts"];
  const disposable = "lib.esnext.disposable.d.ts";
  if (version < 22) return ["lib.es2023.d.ts", disposable];
  return ["lib.es2024.d.ts", disposable, "lib.esnext.collection.d.ts", "lib.esnext.iterator.d.ts"];
}

export interface CellOptions {
  options: Options;
  /** Files whose change changes the options, whether they are there or not. */
  files: string[];
  /** One sentence for the user when the file cannot be read as it is meant. */
  complaint: string | null;
}

export function cellOptions(ts: Ts, folder: string, system: typescript.System): CellOptions {
  const file = join(folder, "tsconfig.json").replaceAll("\\", "/");
  const { own, files, complaint } = existsSync(file) ? read(ts, file, folder, system) : nothing(file);
  const options: Options = {
    strict: true,
    lib: libraryOf(Number.parseInt(process.versions.node, 10)),
    jsx: ts.JsxEmit.React,
    ...own,
    // A module each, whatever it imports; the second step makes one function of it.
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    target: ts.ScriptTarget.ES2022,
    esModuleInterop: true,
    resolveJsonModule: true,
    allowJs: true,
    allowImportingTsExtensions: true,
    // Also of what is read: those errors are not the notebook's.
    skipLibCheck: true,
    sourceMap: true,
    newLine: ts.NewLineKind.LineFeed,
    outDir: join(folder, "outDir"),
    suppressOutputPathCheck: true,
  };
  if (own.jsx === ts.JsxEmit.Preserve || own.jsx === ts.JsxEmit.ReactNative) options.jsx = ts.JsxEmit.React;
  return { options, files, complaint };
}

const nothing = (file: string): { own: Options; files: string[]; complaint: string | null } => ({
  own: {},
  files: [file],
  complaint: null,
});

function read(ts: Ts, file: string, folder: string, system: typescript.System): ReturnType<typeof nothing> {
  // Only the options count: a notebook has no list of files.
  const host: typescript.ParseConfigHost = {
    useCaseSensitiveFileNames: true,
    fileExists: system.fileExists,
    readFile: system.readFile,
    readDirectory: () => [],
  };
  const source = ts.readJsonConfigFile(file, system.readFile);
  const parsed = ts.parseJsonSourceFileConfigFileContent(source, host, folder, {}, file);
  const noInputs = 18003;
  const noFiles = 18002;
  const { parseDiagnostics = [] } = source as { parseDiagnostics?: typescript.Diagnostic[] };
  const [error] = [...parseDiagnostics, ...parsed.errors].filter(
    ({ code }) => code !== noInputs && code !== noFiles,
  );
  const own = Object.fromEntries(
    Object.entries(parsed.options).filter(([name]) => !withoutMeaning.includes(name)),
  );
  const files = [file, ...(source.extendedSourceFiles ?? [])];
  return { own, files, complaint: error ? complain(ts, error) : null };
}

function complain(ts: Ts, { file, start, messageText }: typescript.Diagnostic): string {
  const place =
    file && start !== undefined ? ` line ${file.getLineAndCharacterOfPosition(start).line + 1}:` : "";
  const message = ts.flattenDiagnosticMessageText(messageText, " ").replace(/\.$/, "");
  return `tsconfig.json:${place} ${message}; what could be read of it is in force until it is corrected.`;
}
