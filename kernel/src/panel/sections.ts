// The sections of a snapshot, each from what a conversion says of itself.
import type { Conversion } from "../conversion/conversion";
import { dataExpression, type KnownData } from "../conversion/knownData";
import { methodNames, methods } from "../conversion/methods/index";
import { replacedLayers } from "../conversion/state";
import type { ConversionSections, PanelCost, PanelData } from "../report/conversionMessages";
import { type Cost, totalCost } from "../report/counting";
import { finite } from "./finite";
import { planCurve } from "./planCurve";
import type { Watch } from "./watch";

type Section<Name extends keyof ConversionSections> = (
  watch: Watch,
  conversion: Conversion,
) => ConversionSections[Name];

const costOf = ({ operations, bytes }: Cost, milliseconds: number | null): PanelCost => ({
  operations,
  bytes,
  milliseconds: finite(milliseconds),
});

function dataOf(known: KnownData | null): PanelData | null {
  if (!known) return null;
  const { name, size } = known;
  return { variable: dataExpression(known), name, size };
}

const overview: Section<"overview"> = (_watch, conversion) => {
  const { layers, profile, task, figures, data, states } = conversion;
  const present = states.current;
  const placed = replacedLayers(conversion.state).length;
  const { dense, lookup } = layers.network;
  const now = totalCost([
    ...layers.rest.map(({ cost }) => cost),
    ...layers.rows.map(({ state, before, after }) => (state === "replaced" ? after : before)),
  ]);
  const denseTime = figures.networkTime("dense");
  const nowTime = placed === 0 ? denseTime : figures.networkTime(present);
  const metricNow = figures.metric(present) ?? (placed === 0 ? figures.denseMetric : null);
  return {
    model: layers.model,
    task: task.description,
    profile: profile.name,
    metric: task.isOpen
      ? null
      : {
          name: task.metric.name,
          unit: task.metric.unit,
          higherIsBetter: task.metric.higherIsBetter,
          dense: finite(figures.denseMetric),
          now: finite(metricNow),
        },
    train: dataOf(data.train),
    validation: dataOf(data.validation),
    remarks: [...layers.remarks],
    methods: methodNames.map((name) => ({
      name,
      title: methods[name].title,
      trainable: methods[name].trainable,
    })),
    defaults: { method: profile.calibrate.method, learningRate: profile.fineTune.learningRate },
    cost: {
      dense: costOf(dense, denseTime),
      now: costOf(now, nowTime),
      all: costOf(lookup, placed === layers.rows.length ? nowTime : null),
    },
  };
};

const layerRows: Section<"layers"> = (watch, conversion) =>
  conversion.layers.rows.map((row) => {
    const { name, op, method, positions, inputLength, outputs, inputShape, outputShape } = row;
    const { numCentroids, subvectorLength, numCodebooks, choices, before, after } = row;
    const time = conversion.figures.time(name, numCentroids, subvectorLength);
    return {
      name,
      op,
      state: watch.isTraining && row.state === "replaced" ? "training" : row.state,
      method: method && methods[method].title,
      positions,
      inputLength,
      outputs,
      inputShape,
      outputShape,
      numCentroids,
      subvectorLength,
      numCodebooks,
      choices,
      before: costOf(before, time?.dense ?? null),
      after: costOf(after, time?.lookup ?? null),
    };
  });

const measures: Section<"measures"> = (_watch, { figures, layers, states }) =>
  figures.layers(layers.names, states.current).map((found) => ({
    ...found,
    onlyThis: finite(found.onlyThis),
    allButThis: finite(found.allButThis),
  }));

const history: Section<"history"> = (_watch, conversion) => {
  const { states, figures } = conversion;
  return {
    states: states.rows.map(({ id, label, parent, state }) => {
      const made = conversion.lineOf(id);
      const replaced = replacedLayers(state).length;
      return {
        id,
        label,
        parent,
        replaced,
        tuned: state.tuned,
        metric: finite(figures.metric(id) ?? (replaced === 0 ? figures.denseMetric : null)),
        code: "code" in made ? made.code : null,
        unwritten: "unwritten" in made ? made.unwritten : null,
      };
    }),
    current: states.current,
    undo: conversion.canUndo,
    redo: conversion.canRedo,
  };
};

const commands: Section<"commands"> = (_watch, conversion) =>
  conversion.pending.map(({ id, name, state, progress }) => ({
    id,
    name,
    state,
    progress: progress && {
      done: progress.done,
      total: progress.total ?? 0,
      unit: progress.unit,
      etaSeconds: finite(progress.secondsLeft),
      text: progress.line(),
    },
  }));

const training: Section<"training"> = (_watch, conversion) =>
  conversion.training && {
    command: "fine-tune",
    points: conversion.training.points.map(({ at, loss, metric }) => ({
      epoch: at,
      loss,
      metric: finite(metric),
    })),
    done: conversion.training.done,
  };

const errors: Section<"errors"> = (_watch, { figures }) => figures.errors;

const plan: Section<"plan"> = (watch, conversion) => watch.plan && planCurve(watch.plan, conversion);

const sections: { [Name in keyof ConversionSections]: Section<Name> } = {
  overview,
  layers: layerRows,
  measures,
  history,
  commands,
  training,
  errors,
  plan,
};

export type SectionName = keyof ConversionSections;
export const sectionNames = Object.keys(sections) as SectionName[];

/** Some sections of a snapshot. */
export function makeSections(
  names: Iterable<SectionName>,
  watch: Watch,
  conversion: Conversion,
): Partial<ConversionSections> {
  return Object.fromEntries([...names].map((name) => [name, sections[name](watch, conversion)]));
}
