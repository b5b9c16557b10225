// A long fine-tuning run: npm run bench:endurance [-- --json] [--steps 2000]
//
// Resident memory and the number of tensors over the steps of a converted network's fine-tuning, by the very loop that
// users call; then what a checkpoint of ResNet20 costs, as a share of the minute that lies between two.
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
const require = createRequire(import.meta.url);
const { convert, models, tf } = require("../lib/index.js");
const { Dataset } = require("../lib/datasets/dataset.js");
const { seededRandom } = require("../lib/pq/random.js");
const { describeTraining } = require("../lib/compute/trainingBackend.js");

const { values: options } = parseArgs({
  options: { json: { type: "boolean" }, steps: { type: "string", default: "2000" } },
});
const steps = Number(options.steps);
const samples = 20;
/** Growth of the floor, the lowest of each half, that counts as flat: JavaScript's garbage comes and goes in between. */
const mostGrowth = 0.05;
const mostOverhead = 0.02;
const secondsBetweenCheckpoints = 60;

function randomImages(count, size, channels) {
  const random = seededRandom(1, "images");
  return new Dataset({
    name: "random images",
    inputShape: [size, size, channels],
    numClasses: 10,
    images: Float32Array.from({ length: count * size * size * channels }, random),
    labels: Int32Array.from({ length: count }, (_, i) => i % 10),
  });
}

async function converted(model, data) {
  const conversion = convert(model, { profile: "paper" });
  await conversion.calibrate(data.take(64));
  await conversion.replaceAll();
  return conversion;
}

async function longRun() {
  const batchSize = 16;
  const data = randomImages(Math.ceil(steps / samples) * batchSize, 16, 3);
  const conversion = await converted(
    models.smallCnn({ inputShape: [16, 16, 3], numClasses: 10, width: 16 }),
    data,
  );
  const megabytes = [];
  const tensors = [];
  for (let i = 0; i < samples; i++) {
    await conversion.fineTune(data, { epochs: 1, batchSize, seed: i });
    megabytes.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
    tensors.push(tf.memory().numTensors);
  }
  const half = samples / 2;
  const growth = Math.min(...megabytes.slice(half)) / Math.min(...megabytes.slice(0, half)) - 1;
  return { steps: (data.size / batchSize) * samples, megabytes, tensors, growth };
}

async function checkpoints() {
  const count = 6;
  const data = randomImages(count * 32, 32, 3);
  const folder = mkdtempSync(join(tmpdir(), "lutnn-endurance-"));
  const conversion = await converted(models.resnet20({ inputShape: [32, 32, 3], numClasses: 10 }), data);
  const processorSeconds = async (extra) => {
    const before = process.cpuUsage();
    await conversion.fineTune(data, { epochs: 1, batchSize: 32, ...extra });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  try {
    await processorSeconds({});
    const differences = [];
    for (let i = 0; i < 3; i++) {
      const without = await processorSeconds({});
      const saving = await processorSeconds({ checkpoint: { folder, everySteps: 1 }, resume: false });
      differences.push((saving - without) / (count + 1));
    }
    const seconds = Math.max(0, differences.sort((a, b) => a - b)[1]);
    return { processorSeconds: seconds, overhead: seconds / secondsBetweenCheckpoints };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { write } = process.stderr;
process.stderr.write = () => true; // progress bars
const run = await longRun();
const checkpoint = await checkpoints();
process.stderr.write = write;
const report = {
  command: `npm run bench:endurance -- --steps ${steps}`,
  training: describeTraining(),
  ...run,
  checkpoint,
  holds: {
    memory: run.growth <= mostGrowth,
    tensors: new Set(run.tensors).size === 1,
    checkpoint: checkpoint.overhead <= mostOverhead,
  },
};
const word = (holds) => (holds ? "holds" : "fails");
if (options.json) console.log(JSON.stringify(report, null, 2));
else
  console.log(
    [
      `${report.command}; soft-PQ by ${report.training}`,
      `resident MB after each ${run.steps / samples} of ${run.steps} steps: ${run.megabytes.join(" ")}`,
      `${word(report.holds.memory)}: from the first half to the second the lowest changes by ${(100 * run.growth).toFixed(1)} %, at most ${100 * mostGrowth} %`,
      `${word(report.holds.tensors)}: the number of tensors stays at ${run.tensors[0]}`,
      `${word(report.holds.checkpoint)}: a checkpoint of ResNet20 takes ${(1000 * checkpoint.processorSeconds).toFixed(0)} ms of processor time, ${(100 * checkpoint.overhead).toFixed(2)} % of the ${secondsBetweenCheckpoints} s between two, at most ${100 * mostOverhead} %`,
    ].join("\n"),
  );
process.exitCode = Object.values(report.holds).every(Boolean) ? 0 : 1;
