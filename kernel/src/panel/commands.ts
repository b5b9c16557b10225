// What a panel asks for, done by the conversion's own verbs.
import type { Conversion } from "../conversion/conversion";
import type { DataRole } from "../conversion/knownData";
import type { CalibrationMethod } from "../conversion/methods/index";
import { Outcome } from "../conversion/outcome";
import { plan } from "../conversion/plan/makePlan";
import { choicesOfPoint } from "../conversion/plan/plan";
import type { Data } from "../datasets/from";
import { LutnnError } from "../errors";
import { nameOf } from "../host/nameOf";
import type { PanelCommand } from "../report/conversionMessages";
import { formatMetric } from "../training/metricValue";
import type { Watch } from "./watch";

/** Of each layer and network that is timed. */
const timingRounds = 40;

/** The data that a command takes. Throws LutnnError, with the line of code to run, where none are known. */
export function dataFor(what: string, conversion: Conversion, role: DataRole): Data {
  const known = conversion.data[role];
  if (known) return known.given;
  const name = nameOf(conversion) ?? "conversion";
  const verbs = { train: "calibrate or fineTune", validation: "evaluate or errorAccumulation" };
  const other = { train: "train", validation: "test" }[role];
  const entry = role === other ? role : `${role}: ${other}`;
  throw new LutnnError(
    `${what}: the ${role === "train" ? "training" : "validation"} data must be known (${verbs[role]} was given none yet); run a cell with: await lutnn.panel(${name}, { ${entry} })`,
  );
}

type Doers = {
  [Verb in PanelCommand["verb"]]: (
    command: Extract<PanelCommand, { verb: Verb }>,
    conversion: Conversion,
    watch: Watch,
  ) => Promise<Outcome>;
};

const doers: Doers = {
  calibrate: ({ method, layers }, conversion) =>
    conversion.calibrate(dataFor("calibrate", conversion, "train"), {
      method: method as CalibrationMethod,
      layers,
    }),
  replace: ({ layers }, conversion) => conversion.replace(layers),
  restore: ({ layers }, conversion) => conversion.restore(layers),
  replaceUpTo: ({ layer }, conversion) => {
    const { names } = conversion.layers;
    const end = names.indexOf(layer);
    // A layer that there is not is refused by name.
    return conversion.replace(end < 0 ? [layer] : names.slice(0, end + 1));
  },
  resize: ({ layer, numCentroids, subvectorLength }, conversion) =>
    conversion.resize(layer, { numCentroids, subvectorLength }),
  fineTune: async ({ epochs, learningRate }, conversion) => {
    const history = await conversion.fineTune(dataFor("fineTune", conversion, "train"), {
      epochs,
      learningRate,
    });
    const { loss, metric } = history.last;
    const { warning } = history.outcome;
    return new Outcome(
      `fine-tuned: ${history.summary()}; loss ${loss.toFixed(3)}, ${conversion.task.metric.name} ${formatMetric(conversion.task.metric, metric)} on what it has learnt from`,
      warning ? [warning] : [],
    );
  },
  measure: ({ what }, conversion) => measure(what, conversion),
  plan: async ({ cost }, conversion, watch) => {
    const data = dataFor("plan", conversion, "train");
    const validation = dataFor("plan", conversion, "validation");
    const made = await conversion.enqueue(`plan by ${cost}`, (signal) =>
      plan(conversion.original, {
        data,
        validation,
        // Every point of the trade-off is within it.
        budget: { [cost]: Number.POSITIVE_INFINITY } as Record<typeof cost, number>,
        profile: conversion.profile,
        task: conversion.task,
        layers: conversion.layers.names,
        signal,
      }),
    );
    watch.setPlan(made);
    return new Outcome(`planned: ${made.points.length} points from dense to cheapest`);
  },
  applyPlan: ({ point }, conversion, { plan }) => {
    const chosen = plan?.points[point];
    if (!chosen)
      throw new LutnnError(
        `applyPlan: the point must be one of the plan's (got ${point}, ${plan ? `of ${plan.points.length}` : "and there is no plan"}); make a plan first`,
      );
    return conversion.applyPlan(choicesOfPoint(chosen), dataFor("applyPlan", conversion, "train"));
  },
  undo: (_command, conversion) => conversion.undo(),
  redo: (_command, conversion) => conversion.redo(),
  goTo: ({ state }, conversion) => conversion.goTo(state),
  nameState: async ({ state, label }, conversion) => {
    conversion.nameState(label, state);
    return new Outcome(`state ${state} is called ${label}`);
  },
  save: ({ path, remainder, reopen, overwrite }, conversion) =>
    conversion.save(path, { remainder, reopen, overwrite }),
};

async function measure(
  what: Extract<PanelCommand, { verb: "measure" }>["what"],
  conversion: Conversion,
): Promise<Outcome> {
  const data = dataFor(`measure ${what}`, conversion, "validation");
  if (what === "layers") {
    // What is lost is lost against the dense network.
    if (conversion.figures.denseMetric === null) await conversion.evaluateDense(data);
    const { layers, examples } = await conversion.layerMeasures(data);
    return new Outcome(
      `measured ${layers.size} layers alone and among the others, on ${examples.toLocaleString("en")} examples`,
    );
  }
  if (what === "errors") {
    const { report } = await conversion.errorAccumulation(data);
    return new Outcome(
      `measured the errors of ${report.layers.length} layers on ${report.data.size} examples`,
    );
  }
  if (what === "times") {
    const timings = await conversion.layerTimes(data, { rounds: timingRounds });
    return new Outcome(timings.verdicts());
  }
  const { figures, task } = conversion;
  const { metric } = await conversion.evaluate(data);
  if (figures.denseMetric === null) await conversion.evaluateDense(data);
  return new Outcome(`${task.metric.name} ${formatMetric(task.metric, metric.value)}`);
}

/** Does what a panel asks for, in the conversion's own queue. */
export const runCommand = (command: PanelCommand, conversion: Conversion, watch: Watch): Promise<Outcome> => {
  const doer = doers[command.verb] as (
    command: PanelCommand,
    conversion: Conversion,
    watch: Watch,
  ) => Promise<Outcome>;
  return doer(command, conversion, watch);
};
