import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromOnnx, LutnnError, models } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { exportOnnx } from "../../../../kernel/lib/layers/exportOnnx";
import { seededRandom } from "../../../../kernel/lib/pq/random";
import { withLookups } from "../../inference/lookupNetwork";
import { writeCases } from "./writeCases";

const folder = mkdtempSync(join(tmpdir(), "lutnn-refusals-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeCases(folder);
const pathOf = (name: string) => join(folder, `${name}.onnx`);

/** Runs a script on the onnx package that the set-up installs; it sees `folder`, `load`, `save`, `helper`. */
function python(script: string): void {
  const header =
    "import sys; import numpy as np; from onnx import helper, load, numpy_helper, save\nfolder = sys.argv[1] + '/'\ndef node(*a, **k): return helper.make_node(*a, **k)\n" +
    "def write(name, nodes, dims=('N', 4, 8, 8), weights=(), opset=17, **k):\n" +
    "  g = helper.make_graph(nodes, 'g', [helper.make_tensor_value_info('x', 1, list(dims))], [helper.make_tensor_value_info('y', 1, None)], [numpy_helper.from_array(v, n) for n, v in weights])\n" +
    "  save(helper.make_model(g, opset_imports=[helper.make_opsetid('', opset)], ir_version=8), folder + name + '.onnx', **k)\n";
  const interpreter = join(import.meta.dirname, "../../../../.venv/bin/python");
  execFileSync(interpreter, ["-c", header + script, folder]);
}

const refusal = async (name: string, options = {}): Promise<string> => {
  const error = await fromOnnx(pathOf(name), options).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error, name).toBeInstanceOf(LutnnError);
  expect((error as Error).message, name).not.toContain("\n");
  return (error as Error).message;
};

describe("fromOnnx says of the first thing that it cannot read where it stands, what it is and what would do:", () => {
  it("operators, attributes, inputs that are computed", async () => {
    python(`
write('lrn', [node('Relu', ['x'], ['r'], name='relu'), node('LRN', ['r'], ['y'], name='norm1', size=5)])
write('dilated', [node('Conv', ['x', 'w'], ['y'], name='deep', group=4, dilations=[2, 2])], weights=[('w', np.ones((4, 1, 3, 3), np.float32))])
write('volume', [node('MaxPool', ['x'], ['y'], name='pool', kernel_shape=[2, 2, 2])], dims=('N', 4, 8, 8, 8))
write('cubic', [node('Resize', ['x', '', 's'], ['y'], name='up', mode='cubic')], weights=[('s', np.array([1, 1, 2, 2], np.float32))])
write('halves', [node('Resize', ['x', '', 's'], ['y'], name='up')], weights=[('s', np.array([1, 1, 0.5, 0.5], np.float32))])
write('computed', [node('Relu', ['x'], ['r']), node('Conv', ['x', 'r'], ['y'], name='by_itself')])
write('merged', [node('Reshape', ['x', 's'], ['y'], name='view')], weights=[('s', np.array([-1, 8], np.int64))])
write('batch_sum', [node('ReduceSum', ['x', 'a'], ['y'], name='sum')], weights=[('a', np.array([0], np.int64))])
write('old', [node('Relu', ['x'], ['y'])], opset=6)
write('new', [node('Relu', ['x'], ['y'])], opset=22)
write('reflect', [node('Pad', ['x', 'p'], ['y'], name='mirror', mode='reflect')], weights=[('p', np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64))])
`);
    for (const [name, message] of [
      [
        "lrn",
        /lrn\.onnx: LRN "norm1": .*\(got LRN\); outputs: \["r"\] cuts the network before it; these can be read: Abs, /,
      ],
      ["dilated", /Conv "deep": dilations must be 1 .*\(got 2, 2\); cut the network/],
      ["volume", /MaxPool "pool": it must pool over one or two axes of space \(got 3 of them\)/],
      ["cubic", /Resize "up": mode must be nearest, or linear .*\(got cubic with half_pixel coordinates\)/],
      ["halves", /Resize "up": height and width must become whole times larger.*\(got 1, 1, 0.5, 0.5\)/],
      ["computed", /Conv "by_itself": the weight \(input 2\) must be constant \(got a value of N×4×8×8/],
      ["merged", /Reshape "view": the shape must have an axis for the batch and 256 numbers .*\(got -1×8\)/],
      ["batch_sum", /ReduceSum "sum": the batch must stay whole \(got axes 0 of N×4×8×8\)/],
      ["old", /opset\) must be from 7 to 21 \(got 6\); export the network with opset 17/],
      ["new", /opset\) must be from 7 to 21 \(got 22\)/],
      ["reflect", /Pad "mirror": .*\(got mode reflect with pads 0, 0, 1, 1, 0, 0, 1, 1\)/],
    ] as const)
      expect(await refusal(name), name).toMatch(message);
  });

  it("lengths that nobody says, or that do not fit", async () => {
    expect(await refusal("open_sizes")).toMatch(
      /input "x": all lengths but the batch must be known, and whole \(got \[\?, \?, 4\], height, width, channels\); give inputShape, such as \[64, 64, 4\]/,
    );
    expect(await refusal("open_sizes", { inputShape: [4, 6, 8] })).toMatch(
      /inputShape must fit what the file says, \[\?, \?, 4\] .*\(got \[4, 6, 8\]\)/,
    );
    expect(await refusal("open_sizes", { inputShape: { y: [6, 8, 4] } })).toMatch(
      /inputShape must name inputs of the file \(got "y"\); it has x/,
    );
    expect(await refusal("open_sizes", { inputShape: [0, 8, 4] })).toMatch(/and whole \(got \[0, 8, 4\]/);
    expect(await refusal("gemm", { outputs: ["nothing"] })).toMatch(
      /output "nothing": it must be a value of the file/,
    );
  });

  it("a file with lookups", async () => {
    const dense = models.smallCnn({ inputShape: [8, 8, 1], numClasses: 3 });
    writeFileSync(pathOf("lookups"), exportOnnx(withLookups(dense, { conv2: 9 })));
    expect(await refusal("lookups")).toMatch(
      /ai\.lutnn\.LutConvRelu "conv2": the network must be dense \(got a lookup\); openConversion\(file\) opens/,
    );
  });

  it("no file, and no network", async () => {
    expect(await refusal("missing")).toMatch(/^fromOnnx: it must exist, .*\(got ENOENT for .*missing\.onnx/);
    writeFileSync(pathOf("text"), "hello");
    expect(await refusal("text")).toMatch(/text\.onnx: the file must be a/);
    await expect(fromOnnx(3 as never)).rejects.toThrow(/must be a path or bytes \(got number\)/);
  });
});

describe("a file whose weights are elsewhere", () => {
  it("is read with them, and refused where they are missing, cut off or outside its folder", async () => {
    python(`
w = [('w', np.random.default_rng(1).standard_normal((4, 4, 3, 3)).astype(np.float32)), ('b', np.ones(4, np.float32))]
for name in ('beside', 'gone', 'cut', 'above'):
  write(name, [node('Conv', ['x', 'w', 'b'], ['y'])], weights=w, save_as_external_data=True, location=name + '.data', size_threshold=0)
m = load(folder + 'above.onnx', load_external_data=False)
for t in m.graph.initializer: t.external_data[0].value = '../' + t.external_data[0].value
open(folder + 'above.onnx', 'wb').write(m.SerializeToString())
`);
    const network = await fromOnnx(pathOf("beside"));
    expect(network.outputs[0].shape).toEqual([null, 6, 6, 4]);
    await expect(fromOnnx(readFileSync(pathOf("beside")))).rejects.toThrow(
      /must be given as the path of its file/,
    );
    rmSync(join(folder, "gone.data"));
    expect(await refusal("gone")).toMatch(/data of tensor "w" must be there \(got ENOENT .*copy it beside/);
    truncateSync(join(folder, "cut.data"), 100);
    expect(await refusal("cut")).toMatch(
      /must lie inside ".*cut\.data" \(got bytes 0 to 576 of 100\); that file is cut off/,
    );
    expect(await refusal("above")).toMatch(
      /must lie in the folder of the model's file \(got location "\.\.\/above\.data"\)/,
    );
  });
});

describe("damaged files", () => {
  it("give a network that computes what they say, or one sentence, whichever byte is wrong or missing", async () => {
    mkdirSync(join(folder, "mutants"));
    const random = seededRandom(7, "damaged files");
    const outcomes = { built: 0, refused: 0 };
    for (const name of ["bert", "excitation", "reshape_by_shape", "flatten_dense"]) {
      const whole = readFileSync(pathOf(name));
      for (let i = 0; i < 40; i++) {
        const bytes = Uint8Array.from(whole);
        for (let changes = 0; changes < 3; changes++)
          bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
        const cut = i % 4 === 0 ? bytes.slice(0, Math.floor(random() * bytes.length)) : bytes;
        try {
          (await fromOnnx(cut)).dispose();
          outcomes.built++;
        } catch (error) {
          expect(error, String((error as Error).stack)).toBeInstanceOf(LutnnError);
          outcomes.refused++;
        }
      }
    }
    expect(outcomes.built).toBeGreaterThan(10);
    expect(outcomes.refused).toBeGreaterThan(40);
  });
});
