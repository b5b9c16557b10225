// What one codebook for several layers costs, in accuracy: npm run bench:shared [-- --json] [--data digits] [--images 1437]
//   [--networks encoder,residual] [--seeds 0,1,2] [--dense 10] [--epochs 3]
//
// Digits at 8×8 (or --data fashion-mnist, at 14×14), two small networks in which layers read the same rows: an encoder with an
// attention over the rows of an image (query, key and value), and a residual network whose shortcuts have the filter of the
// block's first convolution. For each network and seed one dense network, converted by `plus` with codebooks of their own and
// with shared ones, the same in everything else: test accuracy in % as fitted and after fine-tuning, bytes of the file; then
// the mean of the differences and its standard error.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pairedDifferences } from "./statistics.mjs";

process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
const require = createRequire(import.meta.url);
const lutnn = require("../lib/index.js");
const { tf } = lutnn;
const L = tf.layers;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    data: { type: "string", default: "digits" },
    images: { type: "string", default: "1437" },
    networks: { type: "string", default: "encoder,residual" },
    seeds: { type: "string", default: "0,1,2" },
    dense: { type: "string", default: "10" },
    epochs: { type: "string", default: "3" },
  },
});
const [images, denseEpochs, epochs] = [values.images, values.dense, values.epochs].map(Number);
const seeds = values.seeds.split(",").map(Number);
const calibrationImages = 1024;
const batchSize = 128;

const { train: all, test } =
  values.data === "digits" ? await lutnn.datasets.digits() : await lutnn.datasets.fashionMnist({ size: 14 });
const train = all.shuffle(1).take(images);
const [side] = train.inputShape;
const accuracy = async (model) => (await lutnn.evaluate(model, test)).accuracy;

/** Rows of an image as words: attention and feed-forward of width 32, then the mean. */
function encoder(seed) {
  let next = 100 * seed;
  const dense = (units, name, activation = "linear") =>
    L.dense({ units, name, activation, kernelInitializer: tf.initializers.glorotUniform({ seed: ++next }) });
  const width = 32;
  const input = tf.input({ shape: [side, side, 1], name: "image" });
  let x = dense(width, "embed").apply(L.reshape({ targetShape: [side, side] }).apply(input));
  x = new lutnn.layers.PositionEmbedding({ positions: side, name: "position" }).apply(x);
  const read = ["query", "key", "value"].map((name) => dense(width, name).apply(x));
  const seen = dense(width, "out").apply(lutnn.layers.attention({ numHeads: 4 }).apply(read));
  x = L.layerNormalization().apply(L.add().apply([x, seen]));
  const wide = dense(2 * width, "wide", "relu").apply(x);
  x = L.layerNormalization().apply(L.add().apply([x, dense(width, "narrow").apply(wide)]));
  const mean = L.globalAveragePooling1d({}).apply(x);
  const model = tf.model({ inputs: input, outputs: dense(10, "head").apply(mean), name: "encoder" });
  const layers = ["query", "key", "value", "out", "wide", "narrow"];
  return { model, options: { layers, subvectorLength: 8 } };
}

/** Three blocks of two convolutions, the shortcut a third of the first one's filter. */
function residual(seed) {
  let next = 100 * seed;
  const conv = (filters, name, strides = 1) =>
    L.conv2d({
      filters,
      name,
      strides,
      kernelSize: 3,
      padding: "same",
      useBias: false,
      kernelInitializer: tf.initializers.heNormal({ seed: ++next }),
    });
  const norm = () => L.batchNormalization({ momentum: 0.9 });
  const input = tf.input({ shape: [side, side, 1], name: "image" });
  let x = L.reLU().apply(norm().apply(conv(16, "stem").apply(input)));
  for (const [i, filters] of [16, 32, 32].entries()) {
    const strides = i === 1 ? 2 : 1;
    const a = L.reLU().apply(norm().apply(conv(filters, `block${i}_first`, strides).apply(x)));
    const b = norm().apply(conv(filters, `block${i}_second`).apply(a));
    const shortcut = norm().apply(conv(filters, `block${i}_shortcut`, strides).apply(x));
    x = L.reLU().apply(L.add().apply([b, shortcut]));
  }
  const mean = L.globalAveragePooling2d({}).apply(x);
  const head = L.dense({
    units: 10,
    name: "head",
    kernelInitializer: tf.initializers.glorotUniform({ seed }),
  });
  return { model: tf.model({ inputs: input, outputs: head.apply(mean), name: "residual" }), options: {} };
}

const folder = mkdtempSync(join(tmpdir(), "lutnn-bench-shared-"));

async function converted(model, options, sharedCodebooks, seed) {
  const conversion = lutnn.convert(model, {
    ...options,
    profile: { ...lutnn.profiles.plus, sharedCodebooks },
  });
  await conversion.calibrate(train.take(calibrationImages), { seed });
  await conversion.replaceAll();
  const fit = await accuracy(conversion.model);
  await conversion.fineTune(train, { epochs, batchSize, seed });
  const trained = await accuracy(conversion.model);
  const path = join(folder, "network.onnx");
  await conversion.save(path);
  await conversion.restoreAll();
  return { fit, trained, bytes: statSync(path).size };
}

const rows = [];
const networks = values.networks.split(",");
for (const [network, make] of Object.entries({ encoder, residual }).filter(([name]) =>
  networks.includes(name),
))
  for (const seed of seeds) {
    const { model, options } = make(seed);
    await lutnn.fit(model, train, { epochs: denseEpochs, learningRate: 1e-2, batchSize, seed });
    const row = { network, seed, dense: await accuracy(model) };
    row.apart = await converted(model, options, false, seed);
    row.shared = await converted(model, options, true, seed);
    model.dispose();
    rows.push(row);
    if (!values.json) console.error(JSON.stringify(row));
  }
rmSync(folder, { recursive: true });

const summary = networks.map((network) => {
  const own = rows.filter((row) => row.network === network);
  const of = (step) => own.map(({ apart, shared }) => shared[step] - apart[step]);
  return { network, fit: pairedDifferences(of("fit")), trained: pairedDifferences(of("trained")) };
});
if (values.json) console.log(JSON.stringify({ images, denseEpochs, epochs, rows, summary }, null, 1));
else {
  const { Table } = require("../lib/charts/table.js");
  const cells = rows.map(({ network, seed, dense, apart, shared }) => [
    network,
    seed,
    ...[dense, apart.fit, shared.fit, apart.trained, shared.trained].map((value) => value.toFixed(2)),
    apart.bytes,
    shared.bytes,
  ]);
  const head = [
    "network",
    "seed",
    "dense",
    "fit, own",
    "shared",
    "trained, own",
    "shared",
    "bytes, own",
    "shared",
  ];
  console.log(String(new Table(head, cells, `${train.name}: ${images} images, test accuracy in %`)));
  for (const { network, fit, trained } of summary)
    for (const [step, { mean: difference, standardError: error }] of Object.entries({ fit, trained }))
      console.log(
        `${network}, ${step}: shared − own = ${difference.toFixed(2)} ± ${error.toFixed(2)} (standard error)`,
      );
}
