// Networks that others trained and exported, from PyPI: a MobileNet v3 and a text recogniser of PaddleOCR, its text detector,
// Magika's classifier of files (JAX through tf2onnx), a YOLO of PyTorch. Each becomes a network that computes what ONNX
// Runtime does (fromOnnx checks it), and is exported again. Fetches 31 MB
// into a temporary folder, so it is run by hand: node test/kernel/models/onnx/realFiles.mjs
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const require = createRequire(import.meta.url);
const { fromOnnx, inference, tf } = require("lutnn");
const { exportOnnx } = require("../../../../kernel/lib/layers/exportOnnx.js");
const { NetworkGraph } = require("../../../../kernel/lib/layers/graph.js");
const { isReplaceable } = require("../../../../kernel/lib/layers/linearOperator.js");

const python = resolve(import.meta.dirname, "../../../../.venv/bin/python");
const folder = mkdtempSync(join(tmpdir(), "lutnn-real-"));
process.on("exit", () => rmSync(folder, { recursive: true }));

/** Wheels, by what they are asked for as. */
const wheels = {
  "rapidocr-onnxruntime==1.4.4": "971d7d5f223a7a808662229df1ef69893809d8457d834e6373d3854bc1782cbf",
  "magika==1.0.3": "3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529",
  "nudenet==3.4.2": "5937dbd84e5d8e5de038f08ffea5a1bb50a08475776bf2b4795914ce0eaf0331",
};
const platform = ["--only-binary=:all:", "--python-version=3.11", "--platform=manylinux_2_28_x86_64"];

for (const [name, sha256] of Object.entries(wheels)) {
  const into = join(folder, name);
  execFileSync(python, ["-m", "pip", "download", "-q", "--no-deps", ...platform, "-d", into, name]);
  const [file] = readdirSync(into);
  const digest = createHash("sha256")
    .update(readFileSync(join(into, file)))
    .digest("hex");
  if (digest !== sha256) throw new Error(`${file} is not the wheel that is meant: ${digest}`);
  execFileSync(python, ["-m", "zipfile", "-e", join(into, file), folder]);
}

const models = "rapidocr_onnxruntime/models";
const files = [
  [`${models}/ch_ppocr_mobile_v2.0_cls_infer.onnx`, { inputShape: [48, 192, 3] }],
  [`${models}/ch_PP-OCRv4_rec_infer.onnx`, { inputShape: [48, 320, 3] }],
  // Of noise, its last sigmoid makes numbers near 0 alone: what that is given tells more.
  [`${models}/ch_PP-OCRv4_det_infer.onnx`, { inputShape: [96, 96, 3], outputs: ["p2o.Add.281"] }],
  ["magika/models/standard_v3_3/model.onnx", {}],
  ["nudenet/320n.onnx", { inputShape: [320, 320, 3] }],
];
for (const [file, options] of files) {
  const started = performance.now();
  const network = await fromOnnx(join(folder, file), options);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const x = network.inputs.map(({ shape, dtype }) =>
    dtype === "int32"
      ? tf.randomUniformInt([2, ...shape.slice(1)], 0, 256, 5)
      : tf.randomUniform([2, ...shape.slice(1)], -1, 1, "float32", 5),
  );
  const again = await inference.checkFile(exportOnnx(network), network, x);
  const targets = new NetworkGraph(network).nodes.filter(({ layer }) => isReplaceable(layer)).length;
  console.log(
    `${file}: ${network.layers.length} layers in ${seconds} s, ${targets} of a kind that can be looked up; exported again: ${again.sentence}`,
  );
  if (!again.ok) process.exitCode = 1;
}
