import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const source = join(dirname(require.resolve("lutnn-native")), "src");

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

/** What each room's files include that is not their own, by rooms; a front includes the C APIs alone. */
const mayInclude: Record<string, RegExp> = {
  isa: /^isa\//,
  core: /^(core|isa)\//,
  training: /^(training|core|isa)\//,
  "fronts/node": /^(fronts\/|core\/lutnn\.h$|training\/lutnn_training\.h$|bench\/peak_rates\.h$)/,
  "fronts/onnxruntime": /^(fronts\/onnxruntime\/|core\/lutnn\.h$)/,
  "fronts/tensorflow": /^(fronts\/tensorflow\/|training\/lutnn_training\.h$)/,
};

describe("the rooms of native/src", () => {
  const files = filesUnder(source).map((file) => relative(source, file).replaceAll("\\", "/"));

  it("hold every file, and each includes only what it may", () => {
    const wrong = files.flatMap((file) => {
      const room = Object.keys(mayInclude).find((name) => file.startsWith(`${name}/`));
      if (!room) return [`${file} is in no room`];
      const text = readFileSync(join(source, file), "utf8");
      return [...text.matchAll(/^#include "([^"]+)"/gm)]
        .map(([, path]) => path!)
        .filter((path) => !mayInclude[room]!.test(path))
        .map((path) => `${file} includes ${path}`);
    });
    expect(wrong).toEqual([]);
    expect(files.length).toBeGreaterThan(50);
  });

  it("are all built: every source file is named by native/CMakeLists.txt, or lies in an instruction set's folder", () => {
    const cmake = readFileSync(join(source, "../CMakeLists.txt"), "utf8");
    const ofIsas = /^isa\/\w+\/(dense|microkernels|microkernels_int8|training)\.cc$/;
    const left = files.filter(
      (file) => file.endsWith(".cc") && !ofIsas.test(file) && !cmake.includes(`src/${file}`),
    );
    expect(left).toEqual([]);
  });
});
