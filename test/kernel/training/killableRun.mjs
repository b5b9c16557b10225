// A training run as a process of its own, for the test that kills it: prints SHA-256 of the final weights.
// node killableRun.mjs FOLDER STAGE   (STAGE: dense or lookup)
import { createHash } from "node:crypto";
import * as lutnn from "lutnn";

const [folder, stage] = process.argv.slice(2);
const digits = await lutnn.datasets.digits();
const train = digits.train.take(240);
const validation = digits.test.take(60);
const model = lutnn.models.smallCnn({ inputShape: [8, 8, 1], numClasses: 10, width: 4 });
const options = { batchSize: 16, seed: 3, validation, earlyStopping: { patience: 100 } };
const checkpoint = { folder, everySteps: 2 };

async function run() {
  if (stage === "dense") {
    console.log("ready");
    await lutnn.fit(model, train, { ...options, epochs: 6, checkpoint });
    return model;
  }
  const conversion = lutnn.convert(model);
  await conversion.calibrate(train, { method: "kmeans" });
  await conversion.replaceAll();
  console.log("ready");
  const learning = { softShare: 0.5, commitment: 0.25, centroidPull: 1 };
  await conversion.fineTune(train, { ...options, ...learning, epochs: 3, checkpoint });
  return conversion.model;
}

const hash = createHash("sha256");
for (const weight of (await run()).getWeights())
  hash.update(new Uint8Array(weight.dataSync().slice().buffer));
console.log(hash.digest("hex"));
