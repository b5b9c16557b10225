import type { Profile } from "../../conversion/profile";
import type { Cell, CellOf } from "../cells/cell";
import { smallDense, titles } from "./accuracy";
import {
  adam,
  dataChoice,
  denseCell,
  lookupCell,
  paper,
  plus,
  quickDense,
  seedsOf,
  type TableChoices,
  trainedBy,
} from "./choices";
import { type Expectation, within } from "./expectation";
import { type Entry, measured, type TableSpec, text } from "./table";

// What the paper shows as curves: temperature, bits of a table, and layers replaced. They are of a small network at every
// scale, as many runs are compared.

/** The dense network of the studies of training. */
function studyDense(seed: number, quick: boolean): CellOf<"dense"> {
  return quick
    ? quickDense(seed)
    : denseCell(dataChoice("fashion-mnist-14", 10_000), { kind: "resnet8", width: 32 }, adam(10, 1e-2), seed);
}

const studied = (quick: boolean): string =>
  quick
    ? "optdigits, ResNet8 of width 16, 720 images"
    : "Fashion-MNIST at 14×14, ResNet8 of width 32, 10,000 images";
const examples = (quick: boolean): number => (quick ? 128 : 1024);

const modes: Readonly<Record<string, Profile>> = {
  "learned, rate 0.1 (the paper)": paper,
  "learned, rate 1": trainedBy(paper, { temperatureLearningRate: 1 }),
  "learned, rate 0.01": trainedBy(paper, { temperatureLearningRate: 0.01 }),
  "learned, squared distance": { ...paper, distance: "squaredL2" },
  "annealed from 1 to 0.1": trainedBy(paper, { temperature: "annealed" }),
  "fixed at 1": trainedBy(paper, { temperature: { fixed: 1 } }),
  "fixed at 0.065, where the learned one starts": trainedBy(paper, { temperature: { fixed: 0.065 } }),
};

/** The paper's order after the longest training: learned, annealed, fixed; as far as the rows are there. */
function temperatureOrder(rows: readonly string[], column: number): Expectation[] {
  const order = ["learned, rate 0.1 (the paper)", "annealed from 1 to 0.1", "fixed at 1"];
  const there = order.map((name) => rows.indexOf(name)).filter((row) => row >= 0);
  return there.slice(1).map((row, at) => ({
    statement: `${rows[there[at]]} is ahead of ${rows[row]}`,
    more: { row: there[at], column },
    less: { row, column },
    unit: "points",
  }));
}

/** Accuracy by how the soft assignment's temperature goes, after so many epochs. */
export function temperature(choices: TableChoices): TableSpec {
  const { quick } = choices;
  const budgets = quick ? [1] : [2, 10, 30];
  const chosen = Object.entries(modes).filter((_, at) => !quick || at === 0 || at === 4);
  const rows = chosen.map(([name, profile]): Entry[] => [
    text(name),
    ...budgets.map((epochs) =>
      measured(
        seedsOf(choices).map((seed) => lookupCell(studyDense(seed, quick), profile, epochs, examples(quick))),
        "metric",
      ),
    ),
  ]);
  return {
    id: "temperature",
    title: `Test accuracy (%) by temperature, profile paper: ${studied(quick)}`,
    columns: [
      { title: "temperature" },
      ...budgets.map((epochs) => ({ title: `${epochs} ${epochs === 1 ? "epoch" : "epochs"}` })),
    ],
    rows,
    expected: temperatureOrder(
      chosen.map(([name]) => name),
      budgets.length,
    ),
    shows:
      "How the published recipe's accuracy depends on the temperature of its softmax, at several lengths of training, with other rates of the temperature and the squared distance beside the published ones. The paper finds learned ahead of annealed ahead of fixed, in a figure without numbers.",
    doesNotShow:
      "The paper's schedule of 200 epochs on CIFAR-10, 78,000 steps. The learned temperature starts at 0.065, and its logit, 14.4 there, moves by no more than its rate in a step: after some hundred steps it is hardly another than the fixed one of 0.065, and what stands in its row says little of learning it.",
    chart: {
      axis: "test accuracy (%)",
      fromZero: false,
      kind: "bar",
      columns: budgets.map((_, at) => at + 1),
    },
  };
}

const bits = [4, 6, 7, 8, 16, "float"] as const;

/** Accuracy by bits of a table's entries. */
export function quantisation(choices: TableChoices): TableSpec {
  const { quick } = choices;
  const epochs = quick ? 1 : 2;
  const chosen: readonly (typeof bits)[number][] = quick ? [4, 8] : bits;
  const columns = [{ title: "table" }, { title: "LUT-NN, paper" }, { title: "LUT-NN, plus" }];
  const rows = chosen.map((tableBits): Entry[] => [
    text(tableBits === "float" ? "float32" : `${tableBits} bits`),
    ...[paper, plus].map((profile) =>
      measured(
        seedsOf(choices).map((seed) =>
          lookupCell(studyDense(seed, quick), { ...profile, tableBits }, epochs, examples(quick)),
        ),
        "metric",
      ),
    ),
  ]);
  return {
    id: "quantisation",
    title: `Test accuracy (%) by bits of a table entry, epochs: ${epochs}: ${studied(quick)}`,
    columns,
    rows,
    expected: chosen.includes("float")
      ? [1, 2].map((column) =>
          within(
            `${columns[column].title}: 8 bits are less than 1 point behind float32`,
            { row: bits.indexOf(8), column },
            { row: bits.indexOf("float"), column },
            1,
            "points",
          ),
        )
      : [],
    shows:
      "How many bits an entry of a table needs when training knows of them: a scale for a layer (paper) or for each output (plus). The paper finds accuracy insensitive to them, in a figure without numbers.",
    doesNotShow: "Speed or size: natively, tables have 8 bits.",
    chart: { axis: "test accuracy (%)", fromZero: false, kind: "line", columns: [1, 2] },
  };
}

const methods = {
  "Maddness, fast form": "maddnessFast",
  Maddness: "maddness",
  "k-means": "kmeans",
  "least squares": "leastSquares",
} as const;

/** Layers that a conversion replaces in the network that the table is of. */
const replaceable = { resnet18: 19, resnet8: 8 } as const;

/** Points of accuracy that Maddness must lose between one layer and all for it to have collapsed. */
const collapse = 20;

/** Accuracy and error by the number of layers replaced, without training. */
export function layers(choices: TableChoices): TableSpec {
  const { quick } = choices;
  const dense = smallDense("resnet18", 0, choices);
  const cellOf = (method: (typeof methods)[keyof typeof methods]): Cell => ({
    kind: "accumulation",
    dense,
    method,
    profile: method === "leastSquares" ? plus : paper,
    calibration: examples(quick),
    test: quick ? 180 : 2000,
    seed: 0,
  });
  const chosen = Object.entries(methods).filter((_, at) => !quick || at % 3 === 0);
  const cells = chosen.map(([, method]) => cellOf(method));
  const count = replaceable[quick ? "resnet8" : "resnet18"];
  const rows = Array.from({ length: count }, (_, at): Entry[] => [
    text(String(at + 1)),
    ...cells.map((cell) => ({ ...measured(cell, "metric", at), isCounted: true })),
    ...cells.map((cell) => measured(cell, "error", at)),
  ]);
  const name = quick ? studied(true) : `Fashion-MNIST, ${titles.resnet18} at half width`;
  return {
    id: "layers",
    title: `Test accuracy (%) and relative error by the number of layers replaced, nothing trained: ${name}`,
    columns: [
      { title: "layers, from the input on" },
      ...chosen.map(([method]) => ({ title: `accuracy, ${method}` })),
      ...chosen.map(([method]) => ({ title: `error, ${method}`, decimals: 3 })),
    ],
    rows,
    expected: chosen.flatMap(([method], at) =>
      method.startsWith("Maddness")
        ? {
            statement: `${method} loses more than ${collapse} points between one layer replaced and all`,
            more: { row: 0, column: at + 1 },
            less: { row: count - 1, column: at + 1 },
            by: collapse,
            unit: "points",
          }
        : [],
    ),
    shows:
      "How error accumulates when layer after layer is replaced by lookups that know nothing of the task, and what becomes of the accuracy: the paper's argument for training the centroids.",
    doesNotShow: "What training repairs (see the table of accuracies). One seed.",
    chart: { axis: "test accuracy (%)", kind: "line", columns: chosen.map((_, at) => at + 1) },
  };
}
