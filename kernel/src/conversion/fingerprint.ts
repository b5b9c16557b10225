import { createHash } from "node:crypto";
import { type ConversionState, placedCalibration } from "./state";
import type { StoredArray } from "./storedArray";

/**
 * What tells the state that a file was saved from from others, in 64 hexadecimal digits: which layers are replaced by which
 * method, and the checksums of all arrays that their lookups have and of all weights that differ from the dense network's.
 * The dense network itself is no part of it.
 */
export function fingerprint(state: ConversionState): string {
  const hash = createHash("sha256");
  const add = (name: string, { shape, values, checksum }: StoredArray) =>
    hash.update(`${name} ${values.constructor.name} ${shape.join("×")} ${checksum}\n`);
  for (const [name, { replacedBy }] of Object.entries(state.layers)) {
    const placed = placedCalibration(state, name);
    hash.update(`${JSON.stringify(name)} ${placed ? replacedBy : "dense"}\n`);
    const arrays = placed?.trained?.arrays ?? placed?.arrays ?? {};
    for (const key of Object.keys(arrays).sort()) add(key, arrays[key]);
  }
  for (const name of Object.keys(state.weights).sort()) {
    hash.update(`${JSON.stringify(name)} weights\n`);
    for (const [i, array] of state.weights[name].entries()) add(String(i), array);
  }
  return hash.digest("hex");
}
