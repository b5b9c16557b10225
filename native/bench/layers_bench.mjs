// Layers by lookup against ONNX Runtime in fp32 and int8, one thread, interleaved in one process. Prints JSON.
//
//   native/build-bench/roofline_bench > roofline.json
//   taskset -c 1 node native/bench/layers_bench.mjs 15 roofline.json > layers.json
//
// 15 is the number of rounds; in each, every contender runs for some milliseconds in turn. Ours is the whole call from
// JavaScript, floats in and floats out. ONNX Runtime's are the times of its compute node alone, from its own profile:
// without its share of the call, without reordering, quantising and dequantising. The roofline of a layer is the time
// that its multiply-adds and its lookups would take at the rates of the first file, one after the other.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { initializer, model, node } from "./onnx.mjs";

const require = createRequire(import.meta.url);
const ort = require("onnxruntime-node");
const native = require("../index.js");

const rounds = Number(process.argv[2] ?? 15);
const roofline = process.argv[3] && JSON.parse(readFileSync(process.argv[3], "utf8"))[native.isa];
const warmUps = 3;
const turn = 12; // ms that a contender runs before the next one's turn
const shapes = [
  { rows: 128, inputs: 768, outputs: 3072, V: 32 },
  { rows: 128, inputs: 768, outputs: 768, V: 32 },
  { rows: 128, inputs: 3072, outputs: 768, V: 32 },
  { size: 56, channels: 64, filter: 3, stride: 1, outputs: 64, V: 9 },
  { size: 28, channels: 128, filter: 3, stride: 1, outputs: 128, V: 9 },
  { size: 14, channels: 256, filter: 3, stride: 1, outputs: 256, V: 9 },
  { size: 7, channels: 512, filter: 3, stride: 1, outputs: 512, V: 9 },
  { size: 56, channels: 64, filter: 1, stride: 2, outputs: 128, V: 4 },
  { size: 14, channels: 256, filter: 1, stride: 2, outputs: 512, V: 4 },
  { size: 32, channels: 64, filter: 3, stride: 1, outputs: 64, V: 9 },
  { size: 8, channels: 256, filter: 3, stride: 1, outputs: 256, V: 9 },
  { size: 4, channels: 512, filter: 3, stride: 1, outputs: 512, V: 9 },
];

let profiles = 0;
const floats = (length) => Float32Array.from({ length }, () => Math.random() * 2 - 1);
const ints = (Type, length) => Type.from({ length }, () => Math.floor(Math.random() * 256));

function nameOf(s) {
  if (s.rows) return `FC ${s.rows}x${s.inputs} to ${s.outputs}`;
  const stride = s.stride > 1 ? ` stride ${s.stride}` : "";
  return `conv ${s.size}x${s.size} ${s.channels} to ${s.outputs} ${s.filter}x${s.filter}${stride}`;
}

/** Sizes of x and y and what they hold, for a shape. */
function sizesOf(s) {
  if (s.rows) return { x: [s.rows, s.inputs], y: [s.rows, s.outputs], positions: s.rows, inputs: s.inputs };
  const out = Math.ceil(s.size / s.stride);
  return {
    x: [1, s.channels, s.size, s.size],
    y: [1, s.outputs, out, out],
    positions: out * out,
    inputs: s.channels * s.filter * s.filter,
  };
}

/** A layer by lookup with random centroids and tables; each call of run() is one layer. */
function makeOurs(s, encoding) {
  const { x, y, inputs } = sizesOf(s);
  const C = inputs / s.V;
  const lookup = {
    numCodebooks: C,
    numCentroids: 16,
    subvectorLength: s.V,
    outputs: s.outputs,
    centroids: floats(C * 16 * s.V),
    lookupTable: ints(Int8Array, C * 16 * s.outputs),
    tableScale: floats(s.outputs),
    bias: floats(s.outputs),
  };
  const input = floats(x.reduce((a, b) => a * b));
  const output = new Float32Array(y.reduce((a, b) => a * b));
  if (s.rows) {
    const op = new native.LutMatMul(lookup, { encoding });
    return () => op.run(input, s.rows, output);
  }
  const pad = (s.filter - 1) / 2;
  const op = new native.LutConv(
    lookup,
    {
      inputChannels: s.channels,
      filterHeight: s.filter,
      filterWidth: s.filter,
      strideHeight: s.stride,
      strideWidth: s.stride,
      dilationHeight: 1,
      dilationWidth: 1,
      padTop: pad,
      padLeft: pad,
      padBottom: pad,
      padRight: pad,
    },
    { encoding },
  );
  return () => op.run(input, 1, s.size, s.size, output);
}

/** The dense layer as an ONNX file, and which of ONNX Runtime's nodes to time. */
function denseModel(s, quantized) {
  const { x, y } = sizesOf(s);
  const Type = quantized ? Uint8Array : Float32Array;
  const weightDims = s.rows ? [s.inputs, s.outputs] : [s.outputs, s.channels, s.filter, s.filter];
  const size = weightDims.reduce((a, b) => a * b);
  const weight = quantized ? ints(Int8Array, size) : floats(size);
  const pad = s.rows ? 0 : (s.filter - 1) / 2;
  const window = {
    kernel_shape: [s.filter, s.filter],
    strides: [s.stride, s.stride],
    pads: [pad, pad, pad, pad],
  };
  const parts = [initializer("w", weight, weightDims)];
  if (!quantized) {
    parts.push(initializer("b", floats(s.outputs), [s.outputs]));
    parts.push(s.rows ? node("Gemm", ["x", "w", "b"], ["y"]) : node("Conv", ["x", "w", "b"], ["y"], window));
  } else {
    const scalar = (name, array) => initializer(name, array, []);
    parts.push(scalar("xs", Float32Array.of(0.02)), scalar("xz", Uint8Array.of(128)));
    parts.push(scalar("ys", Float32Array.of(0.5)), scalar("yz", Uint8Array.of(128)));
    parts.push(
      initializer(
        "ws",
        floats(s.outputs).map((n) => 0.01 + 0.001 * n),
        [s.outputs],
      ),
    );
    parts.push(initializer("wz", new Int8Array(s.outputs), [s.outputs]));
    if (!s.rows) parts.push(initializer("b", new Int32Array(s.outputs), [s.outputs]));
    const inputs = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"];
    parts.push(
      s.rows ? node("QLinearMatMul", inputs, ["y"]) : node("QLinearConv", [...inputs, "b"], ["y"], window),
    );
  }
  const operators = quantized ? ["QLinearConv", "QLinearMatMul"] : ["Conv", "Gemm"];
  return {
    operators,
    file: model(parts, { name: "x", type: Type, dims: x }, { name: "y", type: Type, dims: y }),
    tensor: () => {
      const length = x.reduce((a, b) => a * b);
      return quantized
        ? new ort.Tensor("uint8", ints(Uint8Array, length), x)
        : new ort.Tensor("float32", floats(length), x);
    },
  };
}

async function makeDense(s, quantized) {
  const { file, operators, tensor } = denseModel(s, quantized);
  const name = `lutnn-bench-${process.pid}-${profiles++}`;
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    enableProfiling: true,
    profileFilePrefix: join(tmpdir(), name),
  });
  const feeds = { x: tensor() };
  return {
    run: () => session.run(feeds),
    /** ms of each run's compute node */
    times: () => {
      session.endProfiling();
      const written = join(
        tmpdir(),
        readdirSync(tmpdir()).find((file) => file.startsWith(`${name}_`)),
      );
      const events = JSON.parse(readFileSync(written, "utf8"));
      rmSync(written);
      return events
        .filter((event) => event.cat === "Node" && event.name.endsWith("_kernel_time"))
        .filter((event) => operators.includes(event.args.op_name))
        .map((event) => event.dur / 1000)
        .slice(warmUps);
    },
  };
}

/** Median and quartiles in ms. */
function summary(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const round = (ms) => Number(ms.toPrecision(4));
  return {
    median: round(at(0.5)),
    quartiles: [round(at(0.25)), round(at(0.75))],
    best: round(at(0)),
    runs: times.length,
  };
}

async function bench(s) {
  const { positions, inputs } = sizesOf(s);
  const ours = { lut: makeOurs(s, "float32"), lutInt8: makeOurs(s, "int8") };
  const dense = { fp32: await makeDense(s, false), int8: await makeDense(s, true) };
  const times = { lut: [], lutInt8: [] };
  for (let i = 0; i < warmUps; i++) {
    for (const run of Object.values(ours)) run();
    for (const contender of Object.values(dense)) await contender.run();
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(ours))
      for (const end = performance.now() + turn; performance.now() < end; ) {
        const before = process.hrtime.bigint();
        run();
        times[name].push(Number(process.hrtime.bigint() - before) / 1e6);
      }
    for (const contender of Object.values(dense))
      for (const end = performance.now() + turn; performance.now() < end; ) await contender.run();
  }
  const result = { layer: nameOf(s) };
  for (const [name, list] of Object.entries(times)) result[name] = summary(list);
  for (const [name, contender] of Object.entries(dense)) result[name] = summary(contender.times());
  const over = (a, b) => Number((result[a].median / result[b].median).toPrecision(3));
  result.ratios = {
    fp32OverLut: over("fp32", "lut"),
    int8OverLut: over("int8", "lut"),
    fp32OverLutInt8: over("fp32", "lutInt8"),
    int8OverLutInt8: over("int8", "lutInt8"),
  };
  if (roofline) {
    const encode = (positions * inputs * 16) / roofline.multiplyAddsPerNanosecond / 1e6;
    const lookup = (positions * (inputs / s.V) * s.outputs) / roofline.lookupsPerNanosecond / 1e6;
    result.percentOfRoofline = Math.round(((encode + lookup) / result.lut.best) * 100);
  }
  return result;
}

const results = [];
for (const shape of shapes) {
  results.push(await bench(shape));
  console.error(JSON.stringify(results.at(-1)));
}
const machine = {
  cpu: cpus()[0].model,
  node: process.version,
  onnxruntime: ort.env.versions.node,
  isa: native.isa,
};
console.log(JSON.stringify({ machine, unit: "ms", rounds, results }, null, 2));
