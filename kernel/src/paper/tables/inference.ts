import type { CellOf } from "../cells/cell";
import { publishedReduction, publishedResnet18Ms, publishedWatts } from "../published";
import type { TableChoices } from "./choices";
import { fullNetworks, quickNetwork } from "./counting";
import type { Expectation } from "./expectation";
import { type Entry, leftOut, measured, none, published, ratio, type TableSpec, text } from "./table";

const noTvm: Entry = {
  kind: "notRun",
  why: "TVM is none of the engines that kernel/bench drives, as its untuned schedules would be no fair baseline",
};

const inferenceCell = (network: string, threads: number, quick: boolean): CellOf<"inference"> => ({
  kind: "inference",
  files: { kind: "files", network },
  threads,
  batch: 1,
  rounds: quick ? 1 : 3,
  runs: quick ? 5 : 20,
});

const engines = {
  fp32: "ONNX Runtime, fp32",
  "ort-int8": "ONNX Runtime, INT8",
  "openvino-int8": "OpenVINO, INT8",
  "lut-functions": "lookups as standard operators",
  "lut-native": "lookups, native",
  "lut-native-integers": "lookups, native, codes in integers",
} as const;
const names = Object.keys(engines) as (keyof typeof engines)[];

/** A row for each network and number of threads, of one figure of every engine. */
function rowsOf(
  { quick }: TableChoices,
  threadCounts: readonly number[],
  figure: string,
  more: (
    network: string,
    threads: number,
    of: (engine: keyof typeof engines) => ReturnType<typeof measured>,
  ) => Entry[],
): Entry[][] {
  return Object.entries(fullNetworks).flatMap(([network, title]) =>
    threadCounts.map((threads): Entry[] => {
      const cell = inferenceCell(network, threads, quick);
      const of = (engine: keyof typeof engines) => measured(cell, `${engine}/${figure}`);
      const isLeftOut = quick && (network !== quickNetwork || threads > 1);
      const entries: Entry[] = [...names.map(of), ...more(network, threads, of)];
      return [
        text(title),
        text(String(threads)),
        ...(isLeftOut
          ? entries.map((entry) => (entry.kind === "measured" || entry.kind === "ratio" ? leftOut : entry))
          : entries),
      ];
    }),
  );
}

const publishedLatency: Readonly<Record<string, number>> = {
  resnet18_imagenet224: publishedReduction.latency.resnet18,
  "bert-6": publishedReduction.latency.bert,
};
const publishedMemory: Readonly<Record<string, number>> = {
  vgg11_bn_imagenet224: publishedReduction.memory.vgg11,
  "bert-6": publishedReduction.memory.bert,
};
const publishedFor = (figures: Readonly<Record<string, number>>, network: string): Entry =>
  Object.hasOwn(figures, network) ? published(figures[network]) : none;

/**
 * That a ratio is above the published one, network by network; where none is published for the network, above the smallest that
 * is. A network has `every` rows, of which the first counts: one thread.
 */
const ratioExpected = (
  column: number,
  every: number,
  published: Readonly<Record<string, number>>,
  statement: (least: number) => string,
): Expectation[] =>
  Object.entries(fullNetworks).map(([network, title], at) => {
    const less = published[network] ?? Math.min(...Object.values(published));
    return { statement: `${title}: ${statement(less)}`, more: { row: at * every, column }, less, unit: "×" };
  });

const head = [{ title: "network" }, { title: "threads" }, ...names.map((name) => ({ title: engines[name] }))];

/** Milliseconds of whole networks, batch 1, full shapes. */
export const latency = (choices: TableChoices): TableSpec => ({
  id: "latency",
  title: "Latency of whole networks (ms, median), batch 1, full shapes",
  columns: [
    ...head,
    { title: "TVM" },
    { title: "fp32 / faster native lookups" },
    { title: "INT8 / faster native lookups" },
    { title: "published: times faster than fp32" },
  ],
  rows: rowsOf(choices, [1, 2], "medianMs", (network, _threads, of) => [
    noTvm,
    ratio(of("fp32"), of("lut-native"), of("lut-native-integers")),
    ratio(of("ort-int8"), of("lut-native"), of("lut-native-integers")),
    publishedFor(publishedLatency, network),
  ]),
  expected: [
    ...ratioExpected(
      9,
      2,
      publishedLatency,
      (least) => `more than ${least} times faster than fp32, one thread`,
    ),
    ...ratioExpected(10, 2, { any: 1 }, () => "faster than INT8, one thread"),
  ],
  shows: `Milliseconds from input to output, each engine in processes of its own, in turns, on pinned cores, and how many times faster the faster of both native lookups is than the same network in fp32 and in static INT8. The paper's ranges go from ${publishedReduction.latency.resnet18} (ResNet18) to ${publishedReduction.latency.bert} (BERT); of ResNet18 in its CIFAR form it gives, on one large core of a phone, ${publishedResnet18Ms.onnxRuntime} ms in ONNX Runtime, ${publishedResnet18Ms.tvm} in TVM and ${publishedResnet18Ms.lutNn} as lookups. It publishes no comparison with INT8.`,
  doesNotShow:
    "Another processor: a phone's core and a server's differ in what they do fastest. Weights and centroids are random, which times do not depend on. Where other programs run beside, ratios are surer than milliseconds.",
  chart: { axis: "median (ms, logarithmic)", scale: "log", kind: "bar", columns: [2, 3, 6, 7] },
});

/** Peak resident memory over what the process had before. */
export const memory = (choices: TableChoices): TableSpec => ({
  id: "memory",
  title: "Peak resident memory over the idle process (MB), one thread, batch 1, full shapes",
  columns: [
    ...head.map((column, at) => (at > 1 ? { ...column, divisor: 1e6, decimals: 1 } : column)),
    { title: "fp32 / codes in integers", decimals: 2 },
    { title: "published: times less" },
  ],
  rows: rowsOf(choices, [1], "peakBytes", (network, _threads, of) => [
    ratio(of("fp32"), of("lut-native-integers")),
    publishedFor(publishedMemory, network),
  ]),
  expected: ratioExpected(8, 1, publishedMemory, (least) => `more than ${least} times less memory than fp32`),
  shows: `By how much the peak of a process' resident memory rises when a session is made and run: weights, tables, activations and the engine's own copies. The paper's range goes from ${publishedReduction.memory.vgg11} (VGG11) to ${publishedReduction.memory.bert} (BERT) times less.`,
  doesNotShow:
    "What the engine's library takes by itself, which all have loaded before; and what a file takes on disk.",
  chart: { axis: "peak over idle (MB)", kind: "bar", columns: [2, 3, 6, 7] },
});

/** Watts of the processor, where its energy counter can be read. */
export const power = (choices: TableChoices): TableSpec => ({
  id: "power",
  title: "Power of the processor while a network runs (W), one thread, batch 1, full shapes",
  columns: [
    ...head.map((column, at) => (at > 1 ? { ...column, decimals: 1 } : column)),
    { title: "published, a phone: LUT-NN", decimals: 1 },
    { title: "published, a phone: TVM", decimals: 1 },
  ],
  rows: rowsOf(choices, [1], "watts", (network) => [
    published(publishedWatts[network].lutNn),
    published(publishedWatts[network].tvm),
  ]),
  shows:
    "The mean power of all processors by their own energy counters while an engine runs a network again and again.",
  doesNotShow:
    "The network's share alone: whatever else the machine does is in it. A phone's watts and a server's cannot be compared; the published figures stand there for their ratio.",
});
