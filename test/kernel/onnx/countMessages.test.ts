// Files whose bytes are parts by the million are refused before they are decoded.
import { toBinary } from "@bufbuild/protobuf";
import { fromOnnx, LutnnError } from "lutnn";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { countMessages } from "../../../kernel/lib/onnx/countMessages";
import { ModelProtoSchema } from "../../../kernel/lib/onnx/onnx_pb";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { tinyNetwork } from "../network";
import { watch } from "../readers/bounds";

/** Messages in a decoded one, itself among them. */
function partsOf(value: unknown): number {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return 0;
  const inside = Object.values(value).reduce((sum: number, one) => sum + partsOf(one), 0);
  return inside + Number("$typeName" in value);
}

const file = (): Uint8Array => exportOnnx(new NetworkGraph(tinyNetwork()));

describe("the number of a file's parts", () => {
  it("is counted without decoding it", () => {
    const bytes = file();
    const model = readModel(bytes, "test");
    const parts = partsOf(model);
    expect(parts).toBeGreaterThan(50);
    expect(countMessages(bytes, ModelProtoSchema, 1e6)).toBe(parts);
    expect(countMessages(bytes, ModelProtoSchema, 20)).toBe(21); // no further
    expect(countMessages(toBinary(ModelProtoSchema, model), ModelProtoSchema, 1e6)).toBe(parts);
    expect(() => countMessages(bytes.subarray(0, 200), ModelProtoSchema, 1e6)).toThrow();
  });

  it.each([
    ["nodes", 0x0a],
    ["constants", 0x2a],
    ["values", 0x6a],
  ])("is refused where there are millions of %s, whatever the file's length", async (_, field) => {
    const count = 4_000_000;
    const graph = new Uint8Array(2 * count); // each an empty part
    for (let i = 0; i < count; i++) graph[2 * i] = field;
    const length = [0, 7, 14, 21].map((bits) => ((graph.length >> bits) & 127) | (bits < 21 ? 128 : 0));
    const bytes = Uint8Array.from([0x08, 8, 0x3a, ...length, ...new Uint8Array(graph.length)]);
    bytes.set(graph, bytes.length - graph.length);
    const tooMuch = watch();
    const refused = fromOnnx(bytes);
    await expect(refused).rejects.toBeInstanceOf(LutnnError);
    await expect(refused).rejects.toThrow(/must have at most 2,097,152 parts .*; this has more\)/);
    expect(tooMuch()).toBeNull();
  });
});
