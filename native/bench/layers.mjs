// The measurement: layers by lookup against ONNX Runtime in fp32 and int8, one thread, interleaved in this process.
// bench.mjs starts it in a process of its own for each instruction set:
//   node native/bench/layers.mjs <rounds>   prints JSON
//
// In a round every contender runs for some milliseconds in turn. Ours is the whole call from JavaScript, floats in and
// floats out. ONNX Runtime's are the times of its compute node alone, from its own profile: without its share of the
// call, without reordering, quantising and dequantising. Inputs and centroids are uniformly random.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initializer, model, node } from "./onnx.mjs";

const require = createRequire(import.meta.url);
const native = require("../index.js");
process.env.ORT_DISABLE_TELEMETRY ??= "1";
const ort = loadOnnxRuntime();

const rounds = Number(process.argv[2] ?? 15);
const warmUps = 3;
const turn = 10; // ms that a contender runs before the next one's turn

/** BERT's fully connected layers at 128 tokens, ResNet18's convolutions on ImageNet and on CIFAR. */
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

function loadOnnxRuntime() {
  try {
    return require("onnxruntime-node");
  } catch {
    return null;
  }
}

let profiles = 0;
const floats = (length) => Float32Array.from({ length }, () => Math.random() * 2 - 1);
const ints = (Type, length) => Type.from({ length }, () => Math.floor(Math.random() * 256));

function nameOf(s) {
  if (s.rows) return `FC ${s.rows}×${s.inputs}→${s.outputs}`;
  const stride = s.stride > 1 ? ` s${s.stride}` : "";
  return `conv ${s.size}²×${s.channels}→${s.outputs} ${s.filter}×${s.filter}${stride}`;
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

/** Centroids (C, 16, V) as codes in integers have them, for inputs from −1 to 1. */
function integersOf(centroids, C, V) {
  const inputScale = Math.fround(1 / 127);
  const integers = { inputScale, inputZeroPoint: 128, centroids: new Int8Array(centroids.length) };
  const halfNorms = new Int32Array(C * 16);
  for (let c = 0; c < C; c++) {
    const book = centroids.subarray(c * 16 * V, (c + 1) * 16 * V);
    const scale = book.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    integers.centroids.set(
      book.map((value) => Math.round(value / scale)),
      c * 16 * V,
    );
    for (let k = 0; k < 16; k++) {
      const squares = book.subarray(k * V, (k + 1) * V).reduce((sum, value) => sum + value * value, 0);
      halfNorms[c * 16 + k] = Math.round(squares / 2 / (scale * inputScale));
    }
  }
  return { ...integers, halfNorms };
}

/** A layer by lookup with random centroids and tables: run() is one layer, mismatch() the share of other codes. */
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
  const times = new Float64Array(2);
  const options = {
    encoding,
    integers: encoding === "integer" ? integersOf(lookup.centroids, C, s.V) : undefined,
  };
  if (s.rows) {
    const op = new native.LutMatMul(lookup, options);
    return {
      times,
      run: op.bind(input, s.rows, output, { times }),
      mismatch: () => op.mismatch(input, s.rows),
    };
  }
  const pad = (s.filter - 1) / 2;
  const window = {
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
  };
  const op = new native.LutConv(lookup, window, options);
  return {
    times,
    run: op.bind(input, 1, s.size, s.size, output, { times }),
    mismatch: () => op.mismatch(input, 1, s.size, s.size),
  };
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

/** ms of one call, of its encoding and of its lookup. */
function timed(contender) {
  contender.times.fill(0);
  const before = process.hrtime.bigint();
  contender.run();
  const total = Number(process.hrtime.bigint() - before) / 1e6;
  return [total, contender.times[0], contender.times[1]];
}

/** Median, the two quartiles as the spread, and the fastest. */
function summary(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const round = (ms) => Number(ms.toPrecision(4));
  return {
    ms: round(at(0.5)),
    spread: [round(at(0.25)), round(at(0.75))],
    best: round(at(0)),
    runs: times.length,
  };
}

async function bench(s) {
  const { positions, inputs } = sizesOf(s);
  const ours = {
    fp32: makeOurs(s, "float32"),
    int8: makeOurs(s, "int8"),
    integer: makeOurs(s, "integer"),
  };
  const dense = ort ? { fp32: await makeDense(s, false), int8: await makeDense(s, true) } : {};
  const times = { fp32: [], int8: [], integer: [] };
  const until = async (run) => {
    for (const end = performance.now() + turn; performance.now() < end; ) await run();
  };
  for (let i = 0; i < warmUps; i++) {
    for (const contender of Object.values(ours)) contender.run();
    for (const contender of Object.values(dense)) await contender.run();
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of Object.entries(ours))
      await until(() => void times[name].push(timed(contender)));
    for (const contender of Object.values(dense)) await until(contender.run);
  }
  const part = (mode, i) => summary(times[mode].map((measured) => measured[i]));
  const denseTimes = (mode) => (dense[mode] ? summary(dense[mode].times()) : null);
  const [ortFp32, ortInt8] = [denseTimes("fp32"), denseTimes("int8")];
  return {
    name: nameOf(s),
    N: positions,
    D: inputs,
    M: s.outputs,
    V: s.V,
    oursMs: part("fp32", 0).ms,
    encodeMs: part("fp32", 1).ms,
    lookupMs: part("fp32", 2).ms,
    oursInt8EncodeMs: part("int8", 0).ms,
    encodeInt8Ms: part("int8", 1).ms,
    oursIntegerMs: part("integer", 0).ms,
    encodeIntegerMs: part("integer", 1).ms,
    codesDifferent: ours.int8.mismatch(),
    ortFp32Ms: ortFp32?.ms ?? null,
    ortInt8Ms: ortInt8?.ms ?? null,
    spreads: {
      oursMs: part("fp32", 0).spread,
      oursInt8EncodeMs: part("int8", 0).spread,
      oursIntegerMs: part("integer", 0).spread,
      ortFp32Ms: ortFp32?.spread ?? null,
      ortInt8Ms: ortInt8?.spread ?? null,
    },
    bests: {
      oursMs: part("fp32", 0).best,
      oursInt8EncodeMs: part("int8", 0).best,
      oursIntegerMs: part("integer", 0).best,
      ortFp32Ms: ortFp32?.best ?? null,
      ortInt8Ms: ortInt8?.best ?? null,
    },
    runs: { ours: times.fp32.length, ortFp32: ortFp32?.runs ?? 0, ortInt8: ortInt8?.runs ?? 0 },
  };
}

const rows = [];
const peaks = [native.peakRates()];
for (const shape of shapes) {
  rows.push(await bench(shape));
  peaks.push(native.peakRates());
}
const best = (key) => Math.max(...peaks.map((rates) => rates[key]));
const peak = Object.fromEntries(Object.keys(peaks[0]).map((key) => [key, Number(best(key).toPrecision(4))]));
console.log(JSON.stringify({ isa: native.isa, onnxruntime: ort?.env.versions.node ?? null, peak, rows }));
