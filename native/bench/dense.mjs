// What stays dense, one layer at a time: our operator of bytes beside ONNX Runtime's fp32 and INT8, in sessions of one library and
// process, one thread, in turns; times are those of the compute node alone, from the session's record.
//   node native/bench/dense.mjs [runs]   prints least and median ms, and GMAC/s of the least
import { readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { initializer, model, node } from "./onnx.mjs";

const require = createRequire(import.meta.url);
process.env.ORT_DISABLE_TELEMETRY ??= "1";
require("onnxruntime-node"); // before its library is used
const sessions = require("../session.js");
const { availableIsas } = require("../index.js");

const runs = Number(process.argv[2] ?? 30);
const warmUps = 3;
const library = join(
  dirname(require.resolve("onnxruntime-node")),
  `../bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime.so.1`,
);

/** First layers, convolutions and matrices of ResNet18, VGG11 and BERT, and a last layer. */
const shapes = [
  { name: "ResNet18's stem 224²×3→64 7×7 s2", size: 224, channels: 3, filter: 7, stride: 2, outputs: 64 },
  { name: "ResNet18's stem 32²×3→64 3×3", size: 32, channels: 3, filter: 3, stride: 1, outputs: 64 },
  { name: "VGG11's first 224²×3→64 3×3", size: 224, channels: 3, filter: 3, stride: 1, outputs: 64 },
  { name: "56²×64→64 3×3", size: 56, channels: 64, filter: 3, stride: 1, outputs: 64 },
  { name: "14²×256→256 3×3", size: 14, channels: 256, filter: 3, stride: 1, outputs: 256 },
  { name: "7²×512→512 3×3", size: 7, channels: 512, filter: 3, stride: 1, outputs: 512 },
  { name: "56²×64→128 1×1 s2", size: 56, channels: 64, filter: 1, stride: 2, outputs: 128 },
  { name: "128×768→768", rows: 128, channels: 768, outputs: 768 },
  { name: "128×768→3072", rows: 128, channels: 768, outputs: 3072 },
  { name: "128×3072→768", rows: 128, channels: 3072, outputs: 768 },
  { name: "1×512→1000", rows: 1, channels: 512, outputs: 1000 },
];

const product = (dims) => dims.reduce((a, b) => a * b, 1);
const random = (Type, length) =>
  Type.from({ length }, () =>
    Type === Float32Array
      ? Math.random() - 0.5
      : Math.floor(Math.random() * 254) - (Type === Int8Array ? 127 : 0),
  );

function sizesOf(s) {
  if (s.rows)
    return {
      x: [s.rows, s.channels],
      y: [s.rows, s.outputs],
      w: [s.channels, s.outputs],
      inputs: s.channels,
    };
  const out = Math.ceil(s.size / s.stride);
  return {
    x: [1, s.channels, s.size, s.size],
    y: [1, s.outputs, out, out],
    w: [s.outputs, s.channels, s.filter, s.filter],
    inputs: s.channels * s.filter * s.filter,
  };
}

/** A file of one layer: "fp32", "int8" or "ours". */
function fileOf(s, kind) {
  const { x, y, w } = sizesOf(s);
  const pad = s.rows ? 0 : (s.filter - 1) >> 1;
  const window = {
    kernel_shape: [s.filter, s.filter],
    strides: [s.stride, s.stride],
    pads: [pad, pad, pad, pad],
  };
  const attributes = s.rows ? {} : kind === "ours" ? { ...window, dilations: [1, 1], group: 1 } : window;
  const Type = kind === "fp32" ? Float32Array : Uint8Array;
  const scalar = (name, array) => initializer(name, array, []);
  const vector = (name, value) => initializer(name, new Float32Array(s.outputs).fill(value), [s.outputs]);
  const parts = [initializer("w", random(kind === "fp32" ? Float32Array : Int8Array, product(w)), w)];
  if (kind === "fp32") {
    parts.push(vector("b", 0.1), node(s.rows ? "Gemm" : "Conv", ["x", "w", "b"], ["y"], attributes));
  } else {
    parts.push(
      scalar("xz", Uint8Array.of(128)),
      scalar("ys", Float32Array.of(0.5)),
      scalar("yz", Uint8Array.of(0)),
    );
    if (kind === "ours") {
      const operator = `Dense${s.rows ? "MatMul" : "Conv"}IntegerOfBytesReluToBytes`;
      const inputs = ["x", "xz", "w", "s", "b", "ys", "yz"];
      parts.push(vector("s", 1e-4), vector("b", 0.1), node(operator, inputs, ["y"], attributes, "ai.lutnn"));
    } else {
      parts.push(scalar("xs", Float32Array.of(0.02)), vector("ws", 0.01));
      parts.push(initializer("wz", new Int8Array(s.outputs), [s.outputs]));
      const inputs = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"];
      if (s.rows) parts.push(node("QLinearMatMul", inputs, ["y"]));
      else {
        parts.push(initializer("b", new Int32Array(s.outputs), [s.outputs]));
        parts.push(node("QLinearConv", [...inputs, "b"], ["y"], attributes));
      }
    }
  }
  const ends = [
    { name: "x", type: Type, dims: x },
    { name: "y", type: Type, dims: y },
  ];
  return {
    file: model(parts, ...ends, kind === "ours" ? ["ai.lutnn"] : []),
    data: random(Type, product(x)),
    dims: x,
  };
}

async function contender(s, kind, isa) {
  const { file, data, dims } = fileOf(s, kind);
  const profilePrefix = join(tmpdir(), `lutnn-dense-${process.pid}-${kind}-${isa ?? ""}`);
  const session = await sessions.create(library, file, { threads: 1, isa, profilePrefix });
  return {
    run: () => session.run([data], [dims]),
    /** ms of the compute node in each run, sorted. */
    times: () => {
      const record = session.endProfiling();
      const events = JSON.parse(readFileSync(record, "utf8"));
      rmSync(record);
      session.release();
      return events
        .filter(({ cat, name }) => cat === "Node" && name.endsWith("_kernel_time"))
        .filter(({ args }) => /^(Conv|Gemm|QLinear|FusedConv|FusedGemm|Dense)/.test(args.op_name))
        .map(({ dur }) => dur / 1000)
        .slice(warmUps)
        .sort((a, b) => a - b);
    },
  };
}

const isas = availableIsas().filter((isa) => /^(amx|avx512vbmi|neondot)$/.test(isa));
const contenders = [["fp32"], ["int8"], ...isas.map((isa) => ["ours", isa])];
console.log(`runs: ${runs}; ms: least (median); GMAC/s of the least`);
for (const s of shapes) {
  const all = [];
  for (const [kind, isa] of contenders) all.push(await contender(s, kind, isa));
  for (let i = 0; i < warmUps + runs; i++) for (const one of all) await one.run();
  const { y, inputs } = sizesOf(s);
  const cells = all.map((one, i) => {
    const times = one.times();
    const [kind, isa] = contenders[i];
    const rate = (product(y) * inputs) / times[0] / 1e6;
    return `${isa ?? kind} ${times[0].toFixed(3)} (${times[times.length >> 1].toFixed(3)}) ${rate.toFixed(0)}`;
  });
  console.log(`${s.name}: ${cells.join(" | ")}`);
}
