// Seconds that k-means calibration of ResNet18 takes on 1,024 images of random numbers, as the paper calibrates: node
// calibration.mjs. In a process of its own. Prints JSON.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { convert, models } = require("../lib/index.js");
const { Dataset } = require("../lib/datasets/dataset.js");
const { seededRandom } = require("../lib/pq/random.js");

const count = 1024;
const random = seededRandom(1, "images");
const data = new Dataset({
  name: "random images",
  inputShape: [32, 32, 3],
  numClasses: 10,
  images: Float32Array.from({ length: count * 32 * 32 * 3 }, random),
  labels: Int32Array.from({ length: count }, (_, i) => i % 10),
});
const conversion = convert(models.resnet18({ inputShape: [32, 32, 3], numClasses: 10 }), {
  profile: "paper",
});
const before = process.cpuUsage();
const start = performance.now();
await conversion.calibrate(data, { method: "kmeans", seed: 0 });
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(before);
console.log(
  JSON.stringify({
    images: count,
    layers: conversion.layers.names.length,
    seconds,
    processorSeconds: (user + system) / 1e6,
  }),
);
