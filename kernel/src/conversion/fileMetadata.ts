import { libraryVersion } from "../onnx/model";
import { fingerprint } from "./fingerprint";
import type { HistoryEntry } from "./history";
import type { Profile } from "./profile";
import { type Origin, placedCalibration, replacedLayers } from "./state";
import type { Target } from "./targets";

const originText = ({ data, examples, seed }: Origin): string =>
  `${data}, ${examples.toLocaleString("en")} examples, seed ${seed}`;

/** What a file calls the folder beside it with the work that it was saved from, and the state of that work. */
export const workKey = "lutnn.work";
export const stateKey = "lutnn.state";

/** What a file says of the conversion that it was saved from, as its `metadata_props`; values of `lutnn.layers`,
 * `lutnn.settings` and `lutnn.measured` are JSON. */
export function fileMetadata(
  profile: Profile,
  task: string,
  targets: readonly Target[],
  { state, measured }: HistoryEntry,
): Record<string, string> {
  const { name, ...settings } = profile;
  const placed = new Set(replacedLayers(state));
  const layers = targets
    .filter((target) => placed.has(target.name))
    .map((target) => {
      const { operator, positions, numCentroids, subvectorLength, numCodebooks } = target;
      const { origin } = placedCalibration(state, target.name)!;
      const { op, inputLength, outputs } = operator;
      const sizes = { positions, inputLength, outputs, numCentroids, subvectorLength, numCodebooks };
      return [
        target.name,
        { op, method: state.layers[target.name].replacedBy, ...sizes, ...origin },
      ] as const;
    });
  const different = (values: readonly (string | number | null | undefined)[]): string =>
    [...new Set(values.filter((value) => value !== undefined))].join(", ");
  const entries = {
    "lutnn.version": libraryVersion(),
    "lutnn.profile": name,
    "lutnn.settings": JSON.stringify(settings),
    "lutnn.task": task,
    "lutnn.method": different(layers.map(([, { method }]) => method)),
    "lutnn.data": different(layers.map(([, { data }]) => data)),
    "lutnn.seed": different(layers.map(([, { seed }]) => seed)),
    "lutnn.fineTuned": state.tuned ? (state.training ? originText(state.training) : "yes") : "no",
    "lutnn.measured": measured ? JSON.stringify(measured) : "",
    [stateKey]: fingerprint(state),
    "lutnn.layers": JSON.stringify(Object.fromEntries(layers)),
  };
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== ""));
}
