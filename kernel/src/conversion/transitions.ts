import type { CalibrationMethod } from "./methods/index";
import type { Calibration, ConversionState, LayerEntry, LookupSizes, Origin } from "./state";
import { placedCalibration, replacedLayers } from "./state";
import type { LayerWeights, NamedArrays } from "./storedArray";

/** Names of the batch norms that each layer feeds, and the dense network's weights of a layer. */
export interface Surroundings {
  normsOf(name: string): readonly string[];
  denseWeights(name: string): LayerWeights;
}

const withLayer = (state: ConversionState, name: string, entry: Partial<LayerEntry>): ConversionState => ({
  ...state,
  layers: { ...state.layers, [name]: { ...state.layers[name], ...entry } },
});

/** Batch norms go back to the dense network's, except those that another replaced layer feeds too. */
function withDenseNorms(state: ConversionState, name: string, around: Surroundings): ConversionState {
  const shared = new Set(
    replacedLayers(state)
      .filter((other) => other !== name)
      .flatMap((other) => around.normsOf(other)),
  );
  const weights = { ...state.weights };
  for (const norm of around.normsOf(name)) if (!shared.has(norm)) delete weights[norm];
  return { ...state, weights };
}

/** A layer is replaced by what a method has learnt; its batch norms become as trained or as calibrated with it. */
export function replaced(
  before: ConversionState,
  name: string,
  method: CalibrationMethod,
  around: Surroundings,
): ConversionState {
  const cleared = before.layers[name].replacedBy ? withDenseNorms(before, name, around) : before;
  const state = withLayer(cleared, name, { replacedBy: method });
  const { trained, norms } = placedCalibration(state, name)!;
  const weights: Record<string, LayerWeights> = { ...state.weights };
  for (const norm of around.normsOf(name)) {
    const statistics = norms[norm];
    if (trained?.norms[norm]) weights[norm] = trained.norms[norm];
    else if (statistics) {
      const kept = weights[norm] ?? around.denseWeights(norm);
      weights[norm] = [...kept.slice(0, -2), statistics.mean, statistics.variance];
    }
  }
  return { ...state, weights };
}

/** Every calibrated layer is replaced: one that is dense by what it was calibrated with last. */
export function allReplaced(before: ConversionState, around: Surroundings): ConversionState {
  let state = before;
  for (const name of Object.keys(before.layers)) {
    const { replacedBy, calibrations } = before.layers[name];
    const [any] = Object.keys(calibrations) as CalibrationMethod[];
    const last = before.lastMethod && calibrations[before.lastMethod] ? before.lastMethod : any;
    if (!replacedBy && last) state = replaced(state, name, last, around);
  }
  return state;
}

/** A layer is dense again, and so are its batch norms; once none is replaced, all that was trained is forgotten. */
export function restored(before: ConversionState, name: string, around: Surroundings): ConversionState {
  const state = withLayer(withDenseNorms(before, name, around), name, { replacedBy: null });
  return replacedLayers(state).length === 0
    ? { ...state, weights: {}, tuned: false, training: undefined }
    : state;
}

/**
 * A layer has a lookup of another K and V, of which nothing is known: it is dense, and what was learnt for the sizes before
 * is left behind.
 */
export function resized(
  before: ConversionState,
  name: string,
  sizes: LookupSizes,
  around: Surroundings,
): ConversionState {
  const dense = before.layers[name].replacedBy ? restored(before, name, around) : before;
  return withLayer(dense, name, { sizes, calibrations: {} });
}

/** What a method has learnt is kept beside what others have. */
export function calibrated(
  before: ConversionState,
  method: CalibrationMethod,
  found: ReadonlyMap<string, Calibration>,
): ConversionState {
  let state: ConversionState = { ...before, lastMethod: method };
  for (const [name, calibration] of found)
    state = withLayer(state, name, {
      calibrations: { ...state.layers[name].calibrations, [method]: calibration },
    });
  return state;
}

/** Every layer is dense and nothing is learnt; the sizes of lookups stay. */
export const bare = (before: ConversionState): ConversionState => ({
  layers: Object.fromEntries(
    Object.entries(before.layers).map(([name, { sizes }]) => [
      name,
      { ...(sizes ? { sizes } : {}), calibrations: {}, replacedBy: null },
    ]),
  ),
  weights: {},
  lastMethod: null,
  tuned: false,
});

/** All that training has made is forgotten; what methods have learnt stays, and so does what is replaced. */
export function untrained(before: ConversionState): ConversionState {
  const layers = Object.fromEntries(
    Object.entries(before.layers).map(([name, entry]) => {
      const calibrations = Object.fromEntries(
        Object.entries(entry.calibrations).map(([method, { trained: _trained, ...calibration }]) => [
          method,
          calibration,
        ]),
      );
      return [name, { ...entry, calibrations }];
    }),
  );
  return { ...before, layers, weights: {}, tuned: false, training: undefined };
}

/** What training has made of the network: weights of every other layer, and of each replaced one with its batch norms. */
export function trained(
  before: ConversionState,
  weights: Readonly<Record<string, LayerWeights>>,
  arrays: Readonly<Record<string, NamedArrays>>,
  training: Origin,
  around: Surroundings,
): ConversionState {
  let state: ConversionState = { ...before, weights, tuned: true, training };
  for (const name of replacedLayers(before)) {
    const method = before.layers[name].replacedBy!;
    const norms = Object.fromEntries(around.normsOf(name).map((norm) => [norm, weights[norm]]));
    const calibration = { ...placedCalibration(before, name)!, trained: { arrays: arrays[name], norms } };
    const calibrations = { ...before.layers[name].calibrations, [method]: calibration };
    state = withLayer(state, name, { calibrations });
  }
  return state;
}
