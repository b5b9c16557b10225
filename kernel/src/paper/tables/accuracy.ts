import type { Cell, CellOf } from "../cells/cell";
import { type PublishedNetwork, type PublishedSet, publishedAccuracy } from "../published";
import {
  adam,
  calibrations,
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
import { paperDense, paperLookup } from "./paperSchedules";
import { type Entry, measured, none, published, type TableSpec, text } from "./table";

const networks: readonly PublishedNetwork[] = ["resnet18", "senet18", "vgg11"];
export const titles = { resnet18: "ResNet18", senet18: "SENet18", vgg11: "VGG11" } as const;
const sets: Readonly<Record<PublishedSet, string>> = {
  "cifar-10": "CIFAR-10",
  gtsrb: "GTSRB",
  "speech-commands": "Speech Commands",
  svhn: "SVHN",
  utkface: "UTKFace (mean absolute error, years)",
  imagenet: "ImageNet",
};

/** Channels of the first stage at the small scale: half of the published 64. */
const halfWidth = 32;

/** The dense cell of the small scale's long run, or of the quick one. */
export function smallDense(network: PublishedNetwork, seed: number, choices: TableChoices): CellOf<"dense"> {
  return choices.quick
    ? quickDense(seed)
    : denseCell(
        dataChoice("fashion-mnist", null),
        { kind: network, width: halfWidth },
        adam(choices.denseEpochs, 3e-3),
        seed,
      );
}

/** Dense, both forms of Maddness, and both profiles, from one dense cell. */
function methods(
  dense: CellOf<"dense">,
  lookups: { paper: CellOf<"lookup">; plus: CellOf<"lookup"> },
  calibration: number,
): Cell[] {
  const maddness = (form: "fast" | "true"): Cell => ({
    kind: "maddness",
    dense,
    form,
    calibration,
    seed: dense.seed,
  });
  return [dense, maddness("fast"), maddness("true"), lookups.paper, lookups.plus];
}

function smallMethods(network: PublishedNetwork, seed: number, choices: TableChoices): Cell[] {
  const dense = smallDense(network, seed, choices);
  const epochs = choices.quick ? 1 : choices.lookupEpochs;
  const [few, many] = choices.quick ? [128, 128] : [calibrations.paper, calibrations.plus];
  const lookups = {
    paper: lookupCell(dense, paper, epochs, few),
    plus: lookupCell(dense, plus, epochs, many),
  };
  return methods(dense, lookups, few);
}

/** The figures of each method, a cell a seed. */
const entriesOf = (bySeed: readonly (readonly Cell[])[]): Entry[] =>
  bySeed[0].map((_, method) =>
    measured(
      bySeed.map((cells) => cells[method]),
      "metric",
    ),
  );

const ours = ["dense", "Maddness, fast form", "Maddness", "LUT-NN, paper", "LUT-NN, plus"];
const theirs = ["dense", "Maddness", "LUT-NN"];
/** The order of the methods, row by row; of UTKFace, of whose error less is better, it is not asked. */
const orderOf = (rows: readonly (readonly Entry[])[]): Expectation[] =>
  rows.flatMap(([name], row) => {
    const title = name.kind === "text" ? name.text : "";
    if (title.startsWith(sets.utkface)) return [];
    const at = (column: number) => ({ row, column });
    const ahead = (more: number, less: number): Expectation => ({
      statement: `${title}: ${ours[more - 1]} is ahead of ${ours[less - 1]}`,
      more: at(more),
      less: at(less),
      unit: "points",
    });
    return [
      ahead(5, 4),
      ahead(4, 3),
      ahead(4, 2),
      within(`${title}: ${ours[4]} is less than 1 point behind dense`, at(5), at(1), 1, "points"),
    ];
  });

const chart = { axis: "test accuracy (%)", kind: "bar", columns: [1, 2, 3, 4, 5] } as const;

/** Accuracy with every convolution but the first replaced. */
export function accuracy(choices: TableChoices): TableSpec {
  return choices.scale === "paper" ? paperAccuracy(choices) : smallAccuracy(choices);
}

function smallAccuracy(choices: TableChoices): TableSpec {
  const { quick, denseEpochs, lookupEpochs } = choices;
  const chosen = quick ? networks.slice(0, 1) : networks;
  const rows = chosen.map((network): Entry[] => {
    const [lutNn, maddness, dense] = publishedAccuracy[network]["cifar-10"];
    const name = quick ? "optdigits, ResNet8 of width 16" : `Fashion-MNIST, ${titles[network]} at half width`;
    return [
      text(name),
      ...entriesOf(seedsOf(choices).map((seed) => smallMethods(network, seed, choices))),
      ...(quick ? [none, none, none] : [dense, maddness, lutNn].map(published)),
    ];
  });
  const budget = quick
    ? "720 images, 3 dense epochs and 1 of lookups"
    : `all 60,000 images, ${denseEpochs} dense epochs and ${lookupEpochs} of lookups`;
  return {
    id: "accuracy",
    title: `Test accuracy (%), small scale: ${budget}`,
    columns: [
      { title: "data, network" },
      ...ours.map((title) => ({ title })),
      ...theirs.map((title) => ({ title: `published, CIFAR-10 at full width: ${title}` })),
    ],
    rows,
    shows:
      "What is left of a dense network's accuracy when all convolutions but the first are lookups of 16 centroids: by Maddness in the quick form that the paper compares itself with and in its own, both fitted and not trained; by the published recipe; and by ours, trained for as many epochs.",
    doesNotShow:
      "The paper's own cells: other data, narrower networks and far shorter training. The published columns stand there for the distances between methods, not for their heights.",
    expected: orderOf(rows),
    chart,
  };
}

function paperAccuracy(choices: TableChoices): TableSpec {
  const rows = (Object.keys(sets) as PublishedSet[]).flatMap((set) =>
    networks.map((network): Entry[] => {
      const [lutNn, maddness, dense] = publishedAccuracy[network][set];
      const bySeed = seedsOf(choices).map((seed) => {
        const trained = paperDense(set, network, seed);
        const { learningRate, ...training } = paperLookup(set);
        const profileOf = (profile: typeof paper) => trainedBy(profile, { learningRate });
        const lookups = {
          paper: lookupCell(trained, profileOf(paper), training.epochs, calibrations.paper, training),
          plus: lookupCell(trained, plus, training.epochs, calibrations.plus, training),
        };
        return methods(trained, lookups, calibrations.paper);
      });
      return [
        text(`${sets[set]}, ${titles[network]}`),
        ...entriesOf(bySeed),
        ...[dense, maddness, lutNn].map(published),
      ];
    }),
  );
  return {
    id: "accuracy",
    title: "Test accuracy (%), the paper's networks, schedules and data",
    columns: [
      { title: "data, network" },
      ...ours.map((title) => ({ title })),
      ...theirs.map((title) => ({ title: `published: ${title}` })),
    ],
    rows,
    shows:
      "The 18 cells of the paper's table of accuracies, with its schedules. Maddness stands there in the quick form that the paper measured and in the published one.",
    doesNotShow:
      "Which of two methods is better where they differ by less than the noise of one seed; ImageNet's ResNet18 begins at random here, at torchvision's weights in the paper.",
    expected: orderOf(rows),
    chart,
  };
}
