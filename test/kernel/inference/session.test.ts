import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { toChannelsFirst, toChannelsLast } from "../../../kernel/lib/inference/layout";
import { node } from "../../../kernel/lib/onnx/builder";
import { identityFile, onnxFile } from "./onnxFile";

const { InferenceSession, LutnnError } = lutnn;
const folder = mkdtempSync(join(tmpdir(), "lutnn-session-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The sentence of the LutnnError that a promise ends in. */
async function sentence(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LutnnError);
  return (error as Error).message;
}

describe("toChannelsFirst", () => {
  it("puts the channels of every image before its rows and columns, and back", () => {
    // Two images of 1×3 pixels with 2 channels.
    const x = Float32Array.of(0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15);
    const y = toChannelsFirst(x, [1, 3, 2]);
    expect([...y]).toEqual([0, 1, 2, 10, 11, 12, 3, 4, 5, 13, 14, 15]);
    expect([...toChannelsLast(y, [2, 1, 3])]).toEqual([...x]);
  });
});

describe("a session's feeds and results", () => {
  it("have any element type and any rank, by name", async () => {
    const session = await InferenceSession.create(
      identityFile([
        { name: "f", type: "float32", dims: ["N", 3] },
        { name: "i", type: "int32", dims: ["N"] },
        { name: "l", type: "int64", dims: ["N", 1, 2, 1, 2] },
        { name: "b", type: "bool", dims: [2] },
        { name: "u", type: "uint8", dims: [] },
        { name: "d", type: "float64", dims: [1] },
      ]),
    );
    expect(session.inputs.map(({ name, type, dims }) => [name, type, dims])).toEqual([
      ["f", "float32", ["N", 3]],
      ["i", "int32", ["N"]],
      ["l", "int64", ["N", 1, 2, 1, 2]],
      ["b", "bool", [2]],
      ["u", "uint8", []],
      ["d", "float64", [1]],
    ]);
    const feeds = {
      d: { data: Float64Array.of(1e-300), dims: [1] },
      u: { data: Uint8Array.of(200), dims: [] },
      b: { data: Uint8Array.of(1, 0), dims: [2] },
      l: { data: BigInt64Array.of(1n, -2n, 3n, 2n ** 60n), dims: [1, 1, 2, 1, 2] },
      i: { data: Int32Array.of(-7), dims: [1] },
      f: { data: Float32Array.of(1, 2, 3.5), dims: [1, 3] },
    };
    const results = await session.run<lutnn.inference.ArrayOf[lutnn.inference.ElementType]>(feeds);
    for (const [name, { data, dims }] of Object.entries(feeds)) {
      expect(results[`${name} again`].data, name).toEqual(data);
      expect(results[`${name} again`].dims, name).toEqual(dims);
    }
    await session.release();
  });

  it("are refused in one sentence when a name, type, rank, length or the data do not fit", async () => {
    const session = await InferenceSession.create(
      identityFile([
        { name: "x", type: "float32", dims: ["N", 3] },
        { name: "ids", type: "int64", dims: ["N"] },
      ]),
    );
    const x = { data: new Float32Array(6), dims: [2, 3] };
    const ids = { data: new BigInt64Array(2), dims: [2] };
    const says = async (feeds: Parameters<typeof session.run>[0]) => sentence(session.run(feeds));
    expect(await says({ x })).toBe(
      "InferenceSession: every input of model needs a feed (missing ids); it takes x float32 (N, 3); ids int64 (N)",
    );
    expect(await says({ x, ids, y: x })).toBe(
      "InferenceSession: feeds must be inputs of model (got y); it takes x float32 (N, 3); ids int64 (N)",
    );
    expect(await says({ x, ids: { data: new Int32Array(2), dims: [2] } })).toBe(
      "InferenceSession: the input ids of model must hold int64 in a BigInt64Array (got Int32Array); convert the array",
    );
    expect(await says({ x: { data: x.data, dims: [6] }, ids })).toBe(
      "InferenceSession: the input x of model must have dims (N, 3) (got (6)); give 2 lengths, the batch first",
    );
    expect(await says({ x: { data: x.data, dims: [3, 2] }, ids })).toBe(
      "InferenceSession: the input x of model must have dims (N, 3) (got (3, 2)); axis 1 must be 3 long",
    );
    expect(await says({ x: { data: new Float32Array(5), dims: [2, 3] }, ids })).toBe(
      "InferenceSession: the input x of model must hold 6 numbers for its dims (2, 3) (got 5); give data and dims that fit",
    );
    expect(await says({ x, ids: { data: new BigInt64Array(3), dims: [3] } })).toBe(
      "InferenceSession: the input ids of model must have N = 2 as the inputs before it (got (3)); axis 0 must be 2 long",
    );
    expect(await says({ x: { data: x.data, dims: [-2, -3] }, ids })).toMatch(/lengths are whole numbers$/);
    await session.release();
    expect(await says({ x, ids })).toBe("InferenceSession: the session of model is released; create it anew");
    await session.release();
  });

  it("never show ONNX Runtime's own error when the network cannot be computed", async () => {
    // Gather with an index outside of its data: legal by shapes, refused at run time.
    const session = await InferenceSession.create(
      onnxFile(
        [
          { name: "x", type: "float32", dims: ["N"] },
          { name: "at", type: "int64", dims: ["M"] },
        ],
        [{ name: "y", type: "float32", dims: ["M"] }],
        [node("Gather", ["x", "at"], ["y"], { axis: 0 })],
      ),
    );
    expect(
      await sentence(
        session.run({
          x: { data: new Float32Array(2), dims: [2] },
          at: { data: BigInt64Array.of(5n), dims: [1] },
        }),
      ),
    ).toMatch(
      /^InferenceSession: ONNX Runtime must be able to run model on these inputs \(it says: .*\); compare/,
    );
    await session.release();
  });
});

describe("creating a session", () => {
  it("says in words what is wrong with a path", async () => {
    expect(await sentence(InferenceSession.create(join(folder, "absent.onnx")))).toMatch(
      /^InferenceSession: it must exist, .* \(got ENOENT for ".*absent\.onnx"\)$/,
    );
    expect(await sentence(InferenceSession.create(folder))).toMatch(
      /^InferenceSession: the path must name a file, but a folder is there/,
    );
    writeFileSync(join(folder, "file"), "");
    expect(await sentence(InferenceSession.create(join(folder, "file", "inner")))).toMatch(
      /every folder on the way must be one, but one of them is a file/,
    );
    expect(await sentence(InferenceSession.create("no\0path"))).toMatch(/must have no null character/);
  });

  it("refuses what is no model, no path, no thread count", async () => {
    expect(await sentence(InferenceSession.create(Uint8Array.of(1, 2, 3)))).toMatch(
      /must be a(n| whole) ONNX model/,
    );
    const wrong: unknown = 7;
    expect(await sentence(InferenceSession.create(wrong as string))).toMatch(
      /a path or the bytes .*\(got number\)/,
    );
    const bytes = identityFile([{ name: "x", type: "float32", dims: [1] }]);
    expect(await sentence(InferenceSession.create(bytes, { threads: 0 }))).toMatch(
      /threads must be .*\(got 0\)/,
    );
  });

  it("refuses a file whose operators ONNX Runtime does not know, and inputs that are no numbers", async () => {
    const value = { name: "x", type: "float32" as const, dims: [1] };
    expect(
      await sentence(
        InferenceSession.create(
          onnxFile([value], [{ ...value, name: "y" }], [node("NoSuchThing", ["x"], ["y"])]),
        ),
      ),
    ).toMatch(/ONNX Runtime must accept model \(it says: .*NoSuchThing/);
    expect(
      await sentence(InferenceSession.create(identityFile([{ name: "s", type: "string", dims: [1] }]))),
    ).toMatch(/must be tensors of numbers \(s is string\)/);
  });
});
