import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const source = join(root, "kernel/src");

/** Folders of kernel/src in the order in which they may import: each only from those before it, and from itself. */
const order = [
  "report",
  "host",
  "files",
  "pq",
  "compute",
  "charts",
  "tasks",
  "datasets",
  "onnx",
  "layers",
  "models",
  "training",
  "inference",
  "conversion",
  "panel",
  "paper",
];
/** Files at the top: errors.ts may be imported by all; the others by none of the folders. */
const everywhere = ["errors"];

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesUnder(join(folder, entry.name))
      : entry.name.endsWith(".ts")
        ? [join(folder, entry.name)]
        : [],
  );
}

/** Relative imports of a file as paths below kernel/src, without extension. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:from|import|require\()\s*"(\.[^"]+)"/g)].map(([, path]) =>
    relative(source, resolve(dirname(file), path)),
  );
}

describe("the house", () => {
  it("has no backward import inside the library", () => {
    const wrong = order.flatMap((folder, position) =>
      filesUnder(join(source, folder)).flatMap((file) =>
        importsOf(file)
          .filter(
            (path) =>
              !everywhere.includes(path) && !order.slice(0, position + 1).includes(path.split("/")[0]),
          )
          .map((path) => `${relative(source, file)} imports ${path}`),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it("has every folder of the library in that order", () => {
    const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).sort()).toEqual([...order, "commands", "jupyter"].sort());
  });

  it("lets the notebook kernel see the library through its door and the host's interface only", () => {
    const wrong = filesUnder(join(source, "jupyter")).flatMap((file) =>
      importsOf(file)
        .filter((path) => !/^(jupyter|host)\//.test(path) && !["index", "errors"].includes(path))
        .map((path) => `${relative(source, file)} imports ${path}`),
    );
    expect(wrong).toEqual([]);
  });

  it("keeps the mathematics in pq free of tf.js and of Node.js, so that a browser can load it", () => {
    const seen = new Map<string, string[]>(); // by file: what it imports that is no file of the library
    const visit = (file: string) => {
      if (seen.has(file)) return;
      const text = readFileSync(file, "utf8");
      const imports = [...text.matchAll(/(?:from|import|require\()\s*"([^"]+)"/g)].map(([, path]) => path);
      seen.set(
        file,
        imports.filter((path) => !path.startsWith(".")),
      );
      for (const path of importsOf(file)) visit(join(source, `${path}.ts`));
    };
    for (const file of filesUnder(join(source, "pq"))) visit(file);
    expect(seen.size).toBeGreaterThan(5);
    expect(new Set([...seen.values()].flat())).toEqual(new Set(["seedrandom"]));
    const nodeOnly = /\b(process|Buffer|__dirname|require)\b/;
    const code = (file: string) => readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    expect([...seen.keys()].filter((file) => nodeOnly.test(code(file)))).toEqual([]);
  });

  it("keeps TensorFlow out of the threads that decode data sets", () => {
    const seen = new Set<string>();
    const found: string[] = [];
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      // What is imported for its types alone is not there when it runs.
      const text = readFileSync(file, "utf8").replaceAll(/import type [^;]+;/g, "");
      if (text.includes("@tensorflow/")) found.push(relative(source, file));
      for (const [, path] of text.matchAll(/(?:from|import|require\()\s*"(\.[^"]+)"/g))
        visit(resolve(dirname(file), `${path}.ts`));
    };
    visit(join(source, "datasets/decoding/worker.ts"));
    expect(seen.size).toBeGreaterThan(10);
    expect(found).toEqual([]);
  });

  it("lets the report import nothing but itself, so that the extension can take it alone", () => {
    for (const file of filesUnder(join(source, "report"))) {
      const text = readFileSync(file, "utf8");
      const imports = [...text.matchAll(/(?:from|import|require\()\s*"([^"]+)"/g)].map(([, path]) => path);
      expect(
        imports.filter((path) => !/^\.\/\w+$/.test(path)),
        file,
      ).toEqual([]);
    }
  });
});

describe("the lock file", () => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<
      string,
      {
        link?: boolean;
        integrity?: string;
        resolved?: string;
        inBundle?: boolean;
        optionalDependencies?: Record<string, string>;
      }
    >;
  };
  const entries = Object.entries(lock.packages).filter(
    ([path, entry]) => path.includes("node_modules/") && !entry.link,
  );

  it("names no registry and has a hash for every package", () => {
    expect(entries.filter(([, entry]) => entry.resolved).map(([path]) => path)).toEqual([]);
    expect(entries.filter(([, entry]) => !entry.integrity && !entry.inBundle).map(([path]) => path)).toEqual(
      [],
    );
  });

  it("has the binaries of other systems too", () => {
    const missing = entries.flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter((name) => {
        for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
          if (lock.packages[`${at ? `${at}/` : ""}node_modules/${name}`]) return false;
          if (!at) return true;
        }
      }),
    );
    expect(missing).toEqual([]);
  });
});
