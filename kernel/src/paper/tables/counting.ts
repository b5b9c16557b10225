import type { Cell } from "../cells/cell";
import { publishedReduction } from "../published";
import type { TableChoices } from "./choices";
import type { Expectation } from "./expectation";
import { type Entry, leftOut, measured, none, ratio, type TableSpec, text } from "./table";

/** The paper's networks at their full shapes, by the names of `models.paperNetworks`. */
export const fullNetworks: Readonly<Record<string, string>> = {
  resnet18_cifar: "ResNet18, 32×32, 10 classes",
  senet18_cifar: "SENet18, 32×32, 10 classes",
  vgg11_cifar: "VGG11, 32×32, 10 classes",
  resnet18_imagenet224: "ResNet18, 224×224, 1,000 classes",
  senet18_imagenet224: "SENet18, 224×224, 1,000 classes",
  vgg11_bn_imagenet224: "VGG11, 224×224, 1,000 classes",
  "bert-6": "BERT, 6 layers of 768, 64 tokens",
};

const centroids = [8, 16];
const countCell = (network: string, numCentroids: number): Cell => ({
  kind: "count",
  network,
  centroids: numCentroids,
});

const rowsOf = (before: string, after: string, more: (network: string, k: number) => Entry[]): Entry[][] =>
  Object.entries(fullNetworks).flatMap(([network, title]) =>
    centroids.map((k): Entry[] => {
      const cell = countCell(network, k);
      const [dense, lookup] = [measured(cell, before), measured(cell, after)];
      return [text(title), text(String(k)), dense, lookup, ratio(dense, lookup), ...more(network, k)];
    }),
  );

/** The row of a network and K. */
const rowOf = (network: string, k: number): number =>
  Object.keys(fullNetworks).indexOf(network) * centroids.length + centroids.indexOf(k);

/** Half a unit of the last digit of a published figure: what rounding may have added to it. */
const rounding = { tenths: 0.05, whole: 0.5 } as const;

/** That so many times fewer come out as published, which may have been rounded up. */
const atLeast = (
  network: string,
  k: number,
  what: string,
  published: number,
  rounded: number,
): Expectation => ({
  statement: `${fullNetworks[network]}, K ${k}: at least ${published} times ${what}, as published (rounded)`,
  more: { row: rowOf(network, k), column: 4 },
  less: published - rounded,
  unit: "×",
});

/** Operations for one input, at full shapes. */
export const operations = (_choices: TableChoices): TableSpec => ({
  id: "flops",
  title: "Operations for one input (1 multiply-add = 1 operation, 1 addition = 1 operation), full shapes",
  columns: [
    { title: "network" },
    { title: "K" },
    { title: "dense", decimals: 0 },
    { title: "as lookups", decimals: 0 },
    { title: "times fewer" },
  ],
  rows: rowsOf("denseOperations", "lookupOperations", () => []),
  expected: [
    atLeast("resnet18_cifar", 8, "fewer", publishedReduction.operations[0], rounding.tenths),
    atLeast("bert-6", 16, "fewer", publishedReduction.operations[1], rounding.whole),
  ],
  shows: `Exactly what the paper counts, to the last operation; its slides sum it up as ${publishedReduction.operations[0]} to ${publishedReduction.operations[1]} times fewer, from K 8 on convolutions to K 16 on BERT.`,
  doesNotShow:
    "Time: an addition of a table entry, a multiply-add of an encoder and one of a dense layer take different times (see the table of latencies). Biases and batch norms are not counted, as published.",
  chart: { axis: "times fewer operations (×)", kind: "bar", columns: [4] },
});

/** Bytes of weights and tables, counted and in the files. */
export const sizes = ({ quick }: TableChoices): TableSpec => ({
  id: "size",
  title: "Bytes of weights, or of centroids in float32 and tables in INT8, full shapes",
  columns: [
    { title: "network" },
    { title: "K" },
    { title: "dense", decimals: 0 },
    { title: "as lookups", decimals: 0 },
    { title: "times smaller" },
    { title: "file, dense (MB)", divisor: 1e6 },
    { title: "file, lookups (MB)", divisor: 1e6 },
    { title: "file, codes in integers (MB)", divisor: 1e6 },
    { title: "file, dense in INT8 (MB)", divisor: 1e6 },
  ],
  rows: rowsOf("denseBytes", "lookupBytes", (network, k): Entry[] => {
    if (k !== 16) return [none, none, none, none];
    const names = ["denseBytes", "lookupsBytes", "integersBytes", "int8Bytes"];
    const isLeftOut = quick && network !== quickNetwork;
    return names.map((name) => (isLeftOut ? leftOut : measured({ kind: "files", network }, name)));
  }),
  expected: Object.keys(fullNetworks).map((network) =>
    atLeast(network, 8, "smaller", publishedReduction.bytes[0], rounding.tenths),
  ),
  shows: `Exactly what the paper counts (slides: ${publishedReduction.bytes[0]} to ${publishedReduction.bytes[1]} times smaller), and beside it how large the ONNX files are: embeddings, batch norms, layers that stay dense and the functions that define a lookup included. BERT's bytes are of all its layers, attention's and the pooler's too, as \`npx lutnn count\` has them.`,
  doesNotShow:
    "Memory while the network runs (see that table). The files' weights are random, so nothing is said of compression, and BERT's file has a vocabulary of 2,000 words, not of 30,522: a real one has 94 MB of embeddings, which lookups leave as they are.",
  chart: { axis: "times smaller (×)", kind: "bar", columns: [4] },
});

/** The one network that a quick run times. */
export const quickNetwork = "vgg11_cifar";
