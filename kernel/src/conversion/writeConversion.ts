import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { partialOf } from "../files/aside";
import { fileError } from "../files/fileError";
import { makeFolder } from "../files/makeFolder";
import { writeFileWhole } from "../files/writeFile";
import { yieldToEvents } from "../host/signal";
import { encodeArray, encodedLength } from "./arrayFile";
import type { ConversionParts } from "./core";
import { type Manifest, storeState } from "./manifest";
import type { Profile } from "./profile";
import { arraysOf } from "./state";
import { weightsOf } from "./storedArray";
import { topologyOf } from "./topology";

/** Names inside the folder of a stored conversion. */
export const manifestName = "conversion.json";
export const arraysFolder = "arrays";

/** Whether a file of the arrays' folder is an array, or what a killed process left of writing one: nobody else's file goes. */
const isArray = (name: string): boolean =>
  /^[0-9a-f]{64}$/.test(name) || /^[0-9a-f]{40}$/.test(partialOf(name) ?? "");

/** The lowest version of the format that says all of it. */
function versionOf({ codes, sharedCodebooks }: Profile, states: Manifest["states"]): Manifest["version"] {
  const isResized = states.some(({ state }) => Object.values(state.layers).some(({ sizes }) => sizes));
  if (isResized || sharedCodebooks) return 3;
  return codes === "int8" ? 2 : 1;
}

/**
 * Writes a conversion into a folder: arrays by their digest, then the manifest that names them, each file whole or not
 * there. A conversion that was stored there before is replaced by the manifest's rename, after which its arrays go. What
 * fails leaves the folder as it was, but for folders that were made.
 */
export async function writeConversion(
  folder: string,
  { graph, profile, targets, taskName, history }: ConversionParts,
  signal: AbortSignal,
): Promise<{ arrays: number; bytes: number }> {
  const weights = Object.fromEntries([...graph.layers].map(([name, layer]) => [name, weightsOf(layer)]));
  const states = history.entries.map((entry) => ({ ...entry, state: storeState(entry.state) }));
  const manifest: Manifest = {
    format: "lutnn-conversion",
    version: versionOf(profile, states),
    topology: topologyOf(graph.model),
    dense: Object.fromEntries(
      Object.entries(weights).map(([name, arrays]) => [name, arrays.map(({ digest }) => digest)]),
    ),
    profile,
    task: taskName,
    targets: targets.map(({ name, numCentroids, subvectorLength }) => ({
      name,
      numCentroids,
      subvectorLength,
    })),
    states,
    current: history.current.id,
  };
  const arrays = new Map(
    [...Object.values(weights).flat(), ...history.entries.flatMap(({ state }) => arraysOf(state))].map(
      (array) => [array.digest, array],
    ),
  );
  const inside = join(folder, arraysFolder);
  const have = await makeFolder(inside)
    .then(() => readdir(inside))
    .catch((error: unknown) => {
      throw fileError("store", folder, error);
    });
  const sweep = async (names: readonly string[]) => {
    // What stays of them takes room and does no harm.
    for (const name of names) await rm(join(inside, name), { force: true }).catch(() => undefined);
  };
  const added: string[] = [];
  let bytes = 0;
  try {
    for (const [digest, array] of arrays) {
      bytes += array.bytes;
      const path = join(inside, digest);
      const isThere = have.includes(digest);
      if (isThere && (await sizeOf(path)) === encodedLength(array)) continue;
      if (!isThere) added.push(digest);
      await writeFileWhole(path, encodeArray(array), "store");
      await yieldToEvents(signal);
    }
    await writeFileWhole(join(folder, manifestName), JSON.stringify(manifest), "store");
  } catch (error) {
    await sweep(added);
    throw error;
  }
  await sweep(have.filter((name) => isArray(name) && !arrays.has(name)));
  return { arrays: arrays.size, bytes };
}

/** Bytes of a file; null where it cannot be told. */
const sizeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    ({ size }) => size,
    () => null,
  );
