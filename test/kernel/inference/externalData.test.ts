import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { exportOnnx, InferenceSession, tf } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import {
  TensorProto_DataLocation as Location,
  type ModelProto,
  ModelProtoSchema,
  TensorProtoSchema,
} from "../../../kernel/lib/onnx/onnx_pb";
import { randomWeights, withLookups } from "./lookupNetwork";

const folder = mkdtempSync(join(tmpdir(), "lutnn-outside-"));
afterAll(() => rmSync(folder, { recursive: true }));
const python = join(import.meta.dirname, "../../../.venv/bin/python");
const path = join(folder, "net.onnx");
const backends = ["native", "onnxruntime", "reference"] as const;

/** A small network with lookups, its large constants beside it. */
async function writeApart(): Promise<{ bytes: Uint8Array; data: string }> {
  const input = tf.input({ shape: [6, 5, 4], name: "image" });
  const conv = tf.layers.conv2d({
    filters: 40,
    kernelSize: 3,
    padding: "same",
    name: "l1",
    activation: "relu",
  });
  const next = tf.layers.conv2d({ filters: 40, kernelSize: 3, name: "l2" });
  const outputs = next.apply(conv.apply(input)) as tf.SymbolicTensor;
  const model = withLookups(randomWeights(tf.model({ inputs: input, outputs })), { l1: 9, l2: 9 });
  await exportOnnx(model, path, { externalData: true });
  const data = readdirSync(folder).find((name) => name.endsWith(".data"))!;
  return { bytes: readFileSync(path), data: join(folder, data) };
}

const says = (file: string, backend: (typeof backends)[number]) =>
  InferenceSession.create(file, { backend }).then(
    async (session) => {
      await session.release();
      return "nothing";
    },
    (error: Error) => error.message,
  );

describe("a file with its constants beside it", () => {
  it("is checked in full by onnx, loads in Python's ONNX Runtime, and has each constant at a multiple of 64", async () => {
    await writeApart();
    const script = `
import sys, onnx, numpy, onnxruntime as ort
path = sys.argv[1]
onnx.checker.check_model(path, full_check=True)
apart = onnx.load(path, load_external_data=False)
offsets = [int(e.value) for t in apart.graph.initializer for e in t.external_data if e.key == "offset"]
assert len(offsets) > 1 and all(o % 64 == 0 for o in offsets), offsets
onnx.shape_inference.infer_shapes(onnx.load(path), check_type=True, strict_mode=True, data_prop=True)
x = numpy.linspace(-1, 1, 120, dtype=numpy.float32).reshape(1, 4, 6, 5)
y, = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": x})
print(y.tobytes().hex())`;
    const hex = execFileSync(python, ["-c", script, path], { encoding: "utf8" }).trim();
    const session = await InferenceSession.create(path, { backend: "onnxruntime" });
    const data = Float32Array.from({ length: 120 }, (_, i) => Math.fround(-1 + (2 * i) / 119));
    const { output } = await session.run({ input: { data, dims: [1, 4, 6, 5] } });
    await session.release();
    const theirs = new Float32Array(new Uint8Array(Buffer.from(hex, "hex")).buffer);
    const worst = theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - output.data[i])), 0);
    expect(theirs.length).toBe(output.data.length);
    expect(worst).toBeLessThan(1e-5); // the same codes; linspace rounds otherwise
  });

  it("may be a link with its model's file, as caches keep both, and leads nowhere else", async () => {
    const { data } = await writeApart();
    const blobs = join(folder, "blobs");
    const shown = join(folder, "shown");
    for (const made of [blobs, shown]) mkdirSync(made, { recursive: true });
    renameSync(path, join(blobs, "one"));
    renameSync(data, join(blobs, "two"));
    const linked = join(shown, basename(path));
    symlinkSync("../blobs/one", linked);
    symlinkSync("../blobs/two", join(shown, basename(data)));
    for (const backend of backends) expect(await says(linked, backend)).toBe("nothing");
    // The model's own file is here, what it reads elsewhere.
    rmSync(linked);
    copyFileSync(join(blobs, "one"), linked);
    for (const backend of backends)
      expect(await says(linked, backend)).toMatch(
        /must lie in the folder .* \(got a link that leads to ".*two"\)/,
      );
    rmSync(join(shown, basename(data)));
    mkdirSync(join(shown, "..within"));
    renameSync(join(blobs, "two"), join(shown, "..within", "two"));
    symlinkSync(join("..within", "two"), join(shown, basename(data)));
    for (const backend of backends) expect(await says(linked, backend)).toBe("nothing");
  });

  it("is refused by every backend where a location leads outside of its folder, or data are missing or cut off", async () => {
    const { bytes, data } = await writeApart();
    const edited = (change: (model: ModelProto) => void) => {
      const model = fromBinary(ModelProtoSchema, bytes);
      change(model);
      writeFileSync(path, toBinary(ModelProtoSchema, model));
    };
    const set = (key: string, value: string) =>
      edited((model) => {
        const tensor = model.graph!.initializer.find((one) => one.externalData.length > 0)!;
        tensor.externalData.find((entry) => entry.key === key)!.value = value;
      });
    mkdirSync(join(folder, "inner"), { recursive: true });
    const secret = join(tmpdir(), "lutnn-outside-secret");
    writeFileSync(secret, Buffer.alloc(1 << 16));
    for (const location of [secret, "../lutnn-outside-secret", "inner/../../lutnn-outside-secret", "", "."]) {
      set("location", location);
      for (const backend of backends)
        expect(await says(path, backend), `${location} in ${backend}`).toMatch(
          /^InferenceSession: .*(must lie in the folder of the model's file|must be there|must lie inside|must be a regular file|must name a file|must be a file)/,
        );
    }
    for (const [key, value] of [
      ["offset", "-64"],
      ["offset", "1e99"],
      ["length", "99999999"],
      ["length", "x"],
    ]) {
      set(key, value);
      for (const backend of backends)
        expect(await says(path, backend), `${key} ${value} in ${backend}`).toMatch(
          /^InferenceSession: .*(must be a whole number from 0|must lie inside)/,
        );
    }
    // In a function's constant, too, where nobody looks for it.
    edited((model) => {
      const constant = model.functions[0].node.find(
        ({ opType, attribute }) => opType === "Constant" && attribute[0].t,
      )!;
      constant.attribute[0].t = create(TensorProtoSchema, {
        name: "hidden",
        dataType: 7,
        dims: [1n],
        dataLocation: Location.EXTERNAL,
        externalData: [{ key: "location", value: "../lutnn-outside-secret" }],
      });
    });
    for (const backend of backends)
      expect(await says(path, backend)).toMatch(/"hidden" must lie in the folder/);
    rmSync(secret);
    writeFileSync(path, bytes);
    for (const backend of backends) expect(await says(path, backend)).toBe("nothing");
    truncateSync(data, 64);
    for (const backend of backends) expect(await says(path, backend)).toMatch(/that file is cut off$/);
    rmSync(data);
    for (const backend of backends)
      expect(await says(path, backend)).toMatch(/copy it beside the model's file$/);
  });
});
