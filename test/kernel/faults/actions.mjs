// What is written while the disk fails. Each action overwrites what an earlier one has written, in a folder of its own.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const library = (path) => require(join(import.meta.dirname, "../../../kernel/lib", path));
export const lutnn = require("lutnn");
const { tf } = lutnn;
const { writeFileWhole } = library("files/writeFile.js");
const { downloadFile } = library("files/download.js");
const { signal } = new AbortController();

/** Every file below a folder, by its path, with its content's digest. */
export function contentOf(folder) {
  const paths = readdirSync(folder, { recursive: true }).sort();
  return new Map(
    paths
      .map((path) => [path, join(folder, path)])
      .filter(([, path]) => statSync(path).isFile())
      .map(([name, path]) => [name, createHash("sha256").update(readFileSync(path)).digest("hex")]),
  );
}

/** Two networks of the same sizes. */
function network(seed) {
  const kernelInitializer = tf.initializers.heNormal({ seed });
  const input = tf.input({ shape: [48], name: "x" });
  const hidden = tf.layers
    .dense({ units: 96, activation: "relu", kernelInitializer, name: "hidden" })
    .apply(input);
  const output = tf.layers.dense({ units: 3, kernelInitializer, name: "scores" }).apply(hidden);
  return tf.model({ inputs: input, outputs: output, name: "network" });
}

const examples = new lutnn.datasets.ArrayExamples({
  name: "sums",
  inputs: { x: { shape: [48], values: Float32Array.from({ length: 48 * 48 }, (_, i) => Math.sin(i)) } },
  target: { kind: "class", classes: 3 },
  targets: Int32Array.from({ length: 48 }, (_, i) => i % 3),
});

async function conversion(seed) {
  const made = lutnn.convert(network(seed), { layers: ["hidden"], task: "classification" });
  await made.calibrate(examples, { method: "kmeans" });
  await made.replaceAll();
  return made;
}

const digestOf = (model) => {
  const hash = createHash("sha256");
  for (const weight of model.getWeights()) hash.update(new Uint8Array(weight.dataSync().slice().buffer));
  return hash.digest("hex");
};

/**
 * @typedef {object} Action
 * @property {(folder: string, version: number) => Promise<unknown>} act writes version 0 or 1
 * @property {boolean} [keeps] what arrived stays beside for the next time
 * @property {boolean} [goesOn] what it writes piles up: it ends with the same result when it is done again
 */

/** @returns {Promise<Record<string, Action>>} */
export async function actions() {
  const conversions = [await conversion(1), await conversion(2)];
  const contents = ["a", "b"].map((text) => Buffer.alloc(200_000, text));
  const server = createServer(({ url }, response) => response.end(contents[Number(url.slice(1))])).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  server.unref();
  const origin = `http://127.0.0.1:${server.address().port}`;
  const remote = (version) => ({
    url: `${origin}/${version}`,
    bytes: contents[version].length,
    sha256: createHash("sha256").update(contents[version]).digest("hex"),
  });
  return {
    write: {
      act: (folder, version) => writeFileWhole(join(folder, "inner/file"), contents[version], "write"),
    },
    save: {
      act: (folder, version) => conversions[version].save(join(folder, "a.onnx"), { check: version === 1 }),
    },
    "save with constants beside": {
      act: (folder, version) =>
        conversions[version].save(join(folder, "a.onnx"), { check: false, externalData: true }),
    },
    store: { act: (folder, version) => conversions[version].store(folder) },
    download: {
      keeps: true,
      act: (folder, version) => downloadFile(remote(version), join(folder, "file"), { signal }),
    },
    fit: {
      goesOn: true,
      act: async (folder) => {
        const model = network(3);
        try {
          const options = {
            epochs: 3,
            batchSize: 16,
            seed: 5,
            validation: examples,
            earlyStopping: { patience: 9 },
          };
          await lutnn.fit(model, examples, { ...options, checkpoint: { folder, everySteps: 1 } });
          return digestOf(model);
        } finally {
          model.dispose();
        }
      },
    },
  };
}
