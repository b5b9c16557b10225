import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, type inference } from "lutnn";
import * as web from "onnxruntime-web";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpy, writeNpy } from "../../../kernel/lib/files/npy";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { checkLinear, type Value } from "./checkLinear";
import { type RandomFile, randomFiles } from "./randomFiles";

/** `npm run check:runtimes` asks for more, and other seeds. */
const { LUTNN_RUNTIMES = "200", LUTNN_RUNTIMES_SEED = "1", LUTNN_PYTHON } = process.env;
const [count, seed] = [LUTNN_RUNTIMES, LUTNN_RUNTIMES_SEED].map(Number);
/** Of the outputs of lookups and dense layers, those that must have told their integer sum: else little is tested. */
const decidedShare = 0.7;

/** What all networks of one runtime may take, in ms: a hung one shall end, a busy machine shall not count. */
const limit = 600_000 + count * 10_000;
/** One network of so many runs as WebAssembly: sessions take long there. */
const browserNth = 3;
/** Of the networks, those that OpenVINO may refuse to load. */
const mostRefused = 0.05;

const python = LUTNN_PYTHON ?? join(import.meta.dirname, "../../../.venv/bin/python");
const script = join(import.meta.dirname, "runtimes.py");
const folder = mkdtempSync(join(tmpdir(), "lutnn-runtimes-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files: RandomFile[] = [];
const placeOf = (i: number) => join(folder, String(i).padStart(5, "0"));
const outputNames = (bytes: Uint8Array) => readModel(bytes, "test").graph!.output.map(({ name }) => name);

beforeAll(async () => {
  files = await randomFiles(count, seed);
  for (const [i, { file, inlined, revealed, revealedInlined, feeds }] of files.entries()) {
    const place = placeOf(i);
    mkdirSync(place);
    const written = { plain: file, plainInlined: inlined, functions: revealed, inlined: revealedInlined };
    for (const [name, bytes] of Object.entries(written)) writeFileSync(join(place, `${name}.onnx`), bytes);
    for (const [k, { data, dims }] of Object.values(feeds).entries())
      writeFileSync(
        join(place, `input.${k}.npy`),
        writeNpy({
          type: data instanceof Int32Array ? "i4" : "f4",
          shape: dims,
          values: data as Float32Array,
        }),
      );
  }
}, limit);

/** All values at lookups that a runtime gives for a file, by name. */
type Run = (file: RandomFile, index: number) => Promise<Record<string, Value>>;

const byName = (names: readonly string[], values: readonly Value[]) =>
  Object.fromEntries(names.map((name, i) => [name, values[i]]));

async function inSession(bytes: Uint8Array, feeds: RandomFile["feeds"], options: inference.SessionOptions) {
  const session = await InferenceSession.create(bytes, options);
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

async function inBrowser({ revealed, feeds }: RandomFile): Promise<Record<string, Value>> {
  web.env.wasm.numThreads = 1;
  const session = await web.InferenceSession.create(revealed, { logSeverityLevel: 4 });
  const given = Object.entries(feeds).map(([name, { data, dims }]) => [
    name,
    new web.Tensor(data instanceof Int32Array ? "int32" : "float32", data as Float32Array, dims),
  ]);
  try {
    return (await session.run(Object.fromEntries(given))) as unknown as Record<string, Value>;
  } finally {
    await session.release();
  }
}

/** What Python has written of a file's outputs. */
const written =
  (reader: string): Run =>
  async ({ revealed }, i) => {
    const names = outputNames(revealed);
    return byName(
      names,
      names.map((_, k) => {
        const path = join(placeOf(i), `${reader}.${k}.npy`);
        const { values, shape } = readNpy(readFileSync(path), path);
        return { data: values as Float32Array, dims: shape };
      }),
    );
  };

/** What each reader refused, by the networks' folders. */
const inPython = (...readers: string[]): Record<string, Record<string, string>> =>
  JSON.parse(execFileSync(python, [script, folder, ...readers], { encoding: "utf8" }));

/** Expects every lookup and dense layer in INT8 of every file to have the codes and sums of the reference, near ties of float32 apart: how many these are. */
async function expectExact(run: Run, without: ReadonlySet<number> = new Set()): Promise<number> {
  const total = { sums: 0, outputs: 0, bytes: 0, nearTies: 0, integers: 0, dense: 0 };
  for (const [i, file] of files.entries()) {
    if (without.has(i)) continue;
    const values = await run(file, i);
    const given = (name: string) => values[name] ?? (file.feeds[name] as Value);
    for (const node of file.nodes) {
      const { x, residual, y, bytes, operator } = node;
      const [added, result, coded] = [residual, y, bytes?.name ?? null].map((name) =>
        name === null ? null : given(name),
      );
      const check = checkLinear(node, given(x), added, result, coded);
      if (check.fault !== null)
        throw new Error(
          `network ${i} of seed ${seed}: ${operator} ${y ?? bytes?.name}: ${check.fault}\n${file.description}`,
        );
      for (const key of ["sums", "outputs", "bytes", "nearTies"] as const) total[key] += check[key];
      if (node.sums.kind === "lookup" && node.sums.integers) total.integers++;
      if (node.sums.kind === "dense") total.dense++;
    }
  }
  expect(total.sums / total.outputs, JSON.stringify(total)).toBeGreaterThan(decidedShare);
  expect(total.integers).toBeGreaterThan(0);
  expect(total.dense).toBeGreaterThan(0);
  if (files.length >= 200) expect(total.bytes).toBeGreaterThan(0);
  return total.nearTies;
}

describe(`lookups and dense layers in INT8 of ${count} random networks have the codes and integer sums of the reference`, () => {
  it("of every operator and variant", () => {
    const used = new Set(files.flatMap(({ nodes }) => nodes.map(({ operator }) => operator)));
    expect(files.length).toBe(count);
    if (count < 200) return;
    const inIntegers = ["LutConvInteger", "LutMatMulInteger", "DenseConvInteger", "DenseMatMulInteger"];
    for (const base of ["LutConv", "LutMatMul", ...inIntegers]) expect(used).toContain(base);
    for (const end of ["Relu", "Add", "OfBytes", "ToCodes", "OfCodes"])
      expect([...used].some((name) => name.includes(end))).toBe(true);
  });

  it(
    "in ONNX Runtime for Node, by functions",
    async () => {
      await expectExact(({ revealed, feeds }) => inSession(revealed, feeds, { backend: "onnxruntime" }));
    },
    limit,
  );

  it(
    "in ONNX Runtime for Node, inlined",
    async () => {
      await expectExact(({ revealedInlined, feeds }) =>
        inSession(revealedInlined, feeds, { backend: "onnxruntime" }),
      );
    },
    limit,
  );

  it(
    "natively, near ties too",
    async () => {
      const nearTies = await expectExact(({ revealed, feeds }) =>
        inSession(revealed, feeds, { backend: "native" }),
      );
      expect(nearTies).toBe(0);
    },
    limit,
  );

  it(
    "in the reference session, near ties too",
    async () => {
      const nearTies = await expectExact(({ revealed, feeds }) =>
        inSession(revealed, feeds, { backend: "reference" }),
      );
      expect(nearTies).toBe(0);
    },
    limit,
  );

  it(
    "in ONNX Runtime for browsers, as WebAssembly",
    async () => {
      const skipped = files.map((_, i) => i).filter((i) => i % browserNth !== 0);
      await expectExact(inBrowser, new Set(skipped));
    },
    limit,
  );

  it(
    "in ONNX Runtime for Python; and onnx checks the files in full and infers their shapes strictly",
    async () => {
      inPython("checker", "onnxruntime");
      await expectExact(written("onnxruntime"));
    },
    limit,
  );

  const hasOpenvino = spawnSync(python, ["-c", "import openvino"]).status === 0;
  it.runIf(hasOpenvino)(
    "in OpenVINO, inlined, where it is installed",
    async () => {
      const { openvino } = inPython("openvino");
      // It has no recurrent layers with a hard sigmoid, and says so.
      expect(Object.keys(openvino).length, JSON.stringify(openvino)).toBeLessThan(mostRefused * count);
      await expectExact(written("openvino"), new Set(Object.keys(openvino).map(Number)));
    },
    limit,
  );
});
