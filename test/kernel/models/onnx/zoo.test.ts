import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fromOnnx } from "lutnn";
import { describe, expect, it } from "vitest";

// The structures of the ONNX model zoo's networks, as Caffe2 and others exported them, are in the onnx package that the
// set-up installs, each weight with one value throughout.

const python = join(import.meta.dirname, "../../../../.venv/bin/python");
const onnx = execFileSync(python, ["-c", "import onnx; print(onnx.__path__[0])"], {
  encoding: "utf8",
}).trim();
const folder = join(onnx, "backend/test/data/light");
/** Reading takes seconds: these are networks of real size. */
const timeout = 120_000;

describe("a network of the ONNX model zoo", () => {
  it.each([
    ["squeezenet", [1, 1, 1000], { Conv2D: 26, Concatenate: 8 }],
    ["shufflenet", [1000], { DepthwiseConv2D: 16, Permute: 48 }],
    ["inception_v2", [1000], { Conv2D: 69, BatchNormalization: 69 }],
    ["densenet121", [1, 1, 1000], { Conv2D: 121, BatchNormalization: 121 }],
    ["resnet50", [1000], { Conv2D: 53, Add: 16, BatchNormalization: 53 }],
  ] as const)("is read whole: %s", { timeout }, async (name, output, layers) => {
    const network = await fromOnnx(join(folder, `light_${name}.onnx`));
    expect(network.inputs[0].shape).toEqual([null, 224, 224, 3]);
    expect(network.outputs[0].shape.slice(1)).toEqual(output);
    const counts = Object.keys(layers).map((kind) => [
      kind,
      network.layers.filter((layer) => layer.getClassName() === kind).length,
    ]);
    expect(Object.fromEntries(counts)).toEqual(layers);
    network.dispose();
  });

  it("is refused by the first operator that no layer stands for: local response normalisation", async () => {
    await expect(fromOnnx(join(folder, "light_bvlc_alexnet.onnx"))).rejects.toThrow(
      /light_bvlc_alexnet\.onnx: LRN "n2": .*\(got LRN\); outputs: \["r1"\] cuts the network before it/,
    );
  });
});
