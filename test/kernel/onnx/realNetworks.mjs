// Networks of real size with the weights that they were trained to (a MobileNetV2 and an Inception v3 in the npm package
// nsfwjs, MIT), exported and compared with TensorFlow.js, the MobileNet also as Teachable Machine nests it. Fetches
// 74 MB into a temporary folder, so it is run by hand: node test/kernel/onnx/realNetworks.mjs
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";

const require = createRequire(import.meta.url);
const { tf } = require("lutnn");
const { exportOnnx } = require("../../../kernel/lib/layers/exportOnnx.js");

const integrity =
  "sha512-8ixL8Uk7+9Ir67yUxwtbLFZv6NgmsXsgP2oX5zNxmyTIXUfNdj6FLLVS+YI0pYlMEOExLp69ocfQznzTU9ATGw==";
/** Of outputs that are probabilities. */
const tolerance = 1e-5;

const folder = mkdtempSync(join(tmpdir(), "lutnn-real-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
execFileSync("npm", ["pack", "nsfwjs@4.2.1", "--silent"], { cwd: folder });
const archive = join(folder, "nsfwjs-4.2.1.tgz");
const digest = createHash("sha512").update(readFileSync(archive)).digest("base64");
if (`sha512-${digest}` !== integrity) throw new Error("the package fetched is not the one that is meant");
execFileSync("tar", ["xzf", archive, "-C", folder, "package/dist/cjs/models"]);

/** A network of the package: its topology and weights are modules of JSON and base64. */
async function load(name) {
  const at = join(folder, "package/dist/cjs/models", name);
  const read = (file) => {
    const value = require(join(at, file));
    return value.default ?? value;
  };
  const { modelTopology, weightsManifest } = read("model.min.js");
  const shards = readdirSync(at)
    .filter((file) => file.startsWith("group"))
    .sort();
  const bytes = Buffer.concat(shards.map((file) => Buffer.from(read(file), "base64")));
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  return await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
}

async function compare(name, model) {
  const [, height, width, channels] = model.inputs[0].shape;
  const x = tf.randomUniform([3, height, width, channels], 0, 1, "float32", 5);
  const wanted = model.predict(x).dataSync();
  const session = await ort.InferenceSession.create(exportOnnx(model));
  const data = x.transpose([0, 3, 1, 2]).dataSync();
  const { output } = await session.run({
    input: new ort.Tensor("float32", data, [3, channels, height, width]),
  });
  const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - output.data[i])), 0);
  console.log(`${name}: ${output.dims.join("×")}, largest difference ${worst.toExponential(1)}`);
  if (output.data.length !== wanted.length || !(worst < tolerance)) process.exitCode = 1;
}

const mobileNet = await load("mobilenet_v2");
await compare("MobileNetV2", mobileNet);
const last = mobileNet.layers.findLast((layer) => layer.getClassName() === "ReLU");
const backbone = tf.model({ inputs: mobileNet.inputs, outputs: last.output, name: "model1" });
const features = tf.sequential({ layers: [backbone, tf.layers.globalAveragePooling2d({})] });
const head = tf.sequential({
  layers: [
    tf.layers.dense({ units: 100, activation: "relu", inputShape: [last.output.shape[3]] }),
    tf.layers.dense({ units: 3, activation: "softmax", useBias: false }),
  ],
});
await compare("MobileNetV2 nested as by Teachable Machine", tf.sequential({ layers: [features, head] }));
await compare("Inception v3", await load("inception_v3"));
