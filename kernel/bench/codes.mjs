// What codes in int8 cost beside codes in float32, in accuracy: npm run bench:codes [-- --json] [--images 10000]
//   [--widths 16,32,64] [--seeds 0,1] [--dense 4] [--epochs 1]
//
// Fashion-MNIST at 14×14, ResNet8: for each width and seed one dense network, converted by `plus` with both kinds of codes, the
// same in everything else. Test accuracy in % after k-means, after the least-squares fit (which plus begins with), and after
// fine-tuning; then the mean of the differences and its standard error.
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { pairedDifferences } from "./statistics.mjs";

process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
const require = createRequire(import.meta.url);
const lutnn = require("../lib/index.js");

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    images: { type: "string", default: "10000" },
    widths: { type: "string", default: "16,32,64" },
    seeds: { type: "string", default: "0,1" },
    dense: { type: "string", default: "4" },
    epochs: { type: "string", default: "1" },
  },
});
const [images, denseEpochs, epochs] = [values.images, values.dense, values.epochs].map(Number);
const [widths, seeds] = [values.widths, values.seeds].map((list) => list.split(",").map(Number));
const kinds = ["float32", "int8"];
/** Images that a conversion is calibrated on. */
const calibrationImages = 2048;
const batchSize = 64;

const { train: all, test } = await lutnn.datasets.fashionMnist({ size: 14 });
const train = all.shuffle(1).take(images);
const accuracy = async (model) => (await lutnn.evaluate(model, test)).accuracy;

async function denseNetwork(width, seed) {
  const { inputShape, numClasses } = train;
  const model = lutnn.models.resnet({ inputShape, numClasses, width, depth: 8, seed });
  await lutnn.fit(model, train, { epochs: denseEpochs, learningRate: 1e-2, batchSize, seed });
  return model;
}

/** Test accuracy after each step, for one kind of codes. */
async function converted(model, codes, seed) {
  const conversion = lutnn.convert(model, { profile: { ...lutnn.profiles.plus, codes } });
  const some = train.take(calibrationImages);
  await conversion.calibrate(some, { method: "kmeans", seed });
  await conversion.replaceAll({ method: "kmeans" });
  const kMeans = await accuracy(conversion.model);
  await conversion.restoreAll();
  await conversion.calibrate(some, { seed });
  await conversion.replaceAll();
  const fit = await accuracy(conversion.model);
  if (epochs > 0) await conversion.fineTune(train, { epochs, batchSize, seed });
  const trained = await accuracy(conversion.model);
  await conversion.restoreAll();
  return { kMeans, fit, trained };
}

const rows = [];
for (const width of widths)
  for (const seed of seeds) {
    const model = await denseNetwork(width, seed);
    const row = { width, seed, dense: await accuracy(model) };
    for (const codes of kinds) row[codes] = await converted(model, codes, seed);
    model.dispose();
    rows.push(row);
    if (!values.json) console.error(JSON.stringify(row));
  }

const steps = ["kMeans", "fit", "trained"];
const differences = (step) => rows.map(({ float32, int8 }) => int8[step] - float32[step]);
const summary = Object.fromEntries(steps.map((step) => [step, pairedDifferences(differences(step))]));
if (values.json) console.log(JSON.stringify({ images, denseEpochs, epochs, rows, summary }, null, 1));
else {
  const { Table } = require("../lib/charts/table.js");
  const cells = rows.map((row) => [
    row.width,
    row.seed,
    row.dense.toFixed(2),
    ...steps.flatMap((step) => kinds.map((codes) => row[codes][step].toFixed(2))),
  ]);
  const head = [
    "width",
    "seed",
    "dense",
    ...steps.flatMap((step) => kinds.map((codes) => `${step}, ${codes}`)),
  ];
  console.log(String(new Table(head, cells, `${train.name}: ${images} images, test accuracy in %`)));
  for (const step of steps) {
    const { mean: difference, standardError: error } = summary[step];
    console.log(`${step}: int8 − float32 = ${difference.toFixed(2)} ± ${error.toFixed(2)} (standard error)`);
  }
}
