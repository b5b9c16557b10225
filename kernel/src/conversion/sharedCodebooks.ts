import type { InputQuantization } from "../pq/reference";
import { methods } from "./methods/index";
import { listed } from "./outcome";
import type { Profile } from "./profile";
import { type ConversionState, placedCalibration } from "./state";
import type { NamedArrays, StoredArray } from "./storedArray";
import type { Target } from "./targets";

/** Centroids that a layer has learnt, and how its inputs become bytes: what others on the same rows take over. */
export interface SharedCodebook {
  /** float32 (C, K, V) */
  centroids: Float32Array;
  /** Of codes in integers. */
  input?: InputQuantization;
}

const bytesOf = ({ values }: StoredArray) =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const isSame = (a?: StoredArray, b?: StoredArray): boolean =>
  a === b || (a !== undefined && b !== undefined && Buffer.compare(bytesOf(a), bytesOf(b)) === 0);

const haveSameQuantizer = (a: NamedArrays, b: NamedArrays): boolean =>
  isSame(a.centroids, b.centroids) && isSame(a.input, b.input);

/** A replaced layer whose quantiser can be shared, and what it holds. */
interface Holder {
  target: Target;
  arrays: NamedArrays;
}

function holdersOf(state: ConversionState, targets: readonly Target[]): Holder[] {
  return targets.flatMap((target) => {
    const placed = placedCalibration(state, target.name);
    const method = placed && methods[state.layers[target.name].replacedBy!];
    return placed && method?.trainable ? [{ target, arrays: placed.trained?.arrays ?? placed.arrays }] : [];
  });
}

/**
 * The layers of a state that use another one's quantiser, with its name: they read the same rows, and both are replaced and
 * hold the same one. Layers that were learnt or trained apart hold others and stay apart. None where the profile shares none.
 */
export function sharedCodebooks(
  { sharedCodebooks: isOn }: Profile,
  state: ConversionState,
  targets: readonly Target[],
): Map<string, string> {
  const found = new Map<string, string>();
  if (!isOn) return found;
  const holders = holdersOf(state, targets);
  for (const { target, arrays } of holders) {
    const first = holders.find(
      (other) => other.target.codebook === target.codebook && haveSameQuantizer(other.arrays, arrays),
    )!;
    if (first.target !== target) found.set(target.name, first.target.name);
  }
  return found;
}

/** The quantisers that replaced layers of a state hold, by what they are learnt on: see {@link Target.codebook}. */
export function placedCodebooks(
  state: ConversionState,
  targets: readonly Target[],
): Map<string, SharedCodebook> {
  const found = new Map<string, SharedCodebook>();
  for (const { target, arrays } of holdersOf(state, targets)) {
    if (found.has(target.codebook)) continue;
    const [scale, zeroPoint] = arrays.input?.floats ?? [];
    const input = arrays.input ? { input: { scale, zeroPoint } } : {};
    found.set(target.codebook, { centroids: arrays.centroids.floats, ...input });
  }
  return found;
}

/** What the user should know of shared codebooks in a state: a phrase each; none where the profile shares none. */
export function remarksOnShared(
  profile: Profile,
  state: ConversionState,
  targets: readonly Target[],
): string[] {
  if (!profile.sharedCodebooks) return [];
  const groups = new Map<string, string[]>();
  for (const { name, codebook } of targets) groups.set(codebook, [...(groups.get(codebook) ?? []), name]);
  const several = [...groups.values()].filter((names) => names.length > 1);
  if (several.length === 0) return ["no two layers read the same rows, so none shares a codebook"];
  const owners = sharedCodebooks(profile, state, targets);
  return several.map((names) => {
    const placed = names.filter((name) => placedCalibration(state, name));
    const apart = placed.slice(1).filter((name) => !owners.has(name));
    if (apart.length === 0) return `one codebook for ${listed(names)}`;
    return `${1 + apart.length} codebooks for ${listed(names)}, learnt or trained apart: calibrate them anew to share one`;
  });
}
