import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileError } from "../files/fileError";
import { writeFileWhole } from "../files/writeFile";
import { yieldToEvents } from "../host/signal";
import { encodeArray } from "./arrayFile";
import type { ConversionParts } from "./core";
import { type Manifest, storeState } from "./manifest";
import { arraysOf } from "./state";
import { weightsOf } from "./storedArray";
import { topologyOf } from "./topology";

/** Names inside the folder of a stored conversion. */
export const manifestName = "conversion.json";
export const arraysFolder = "arrays";

/**
 * Writes a conversion into a folder: arrays by their digest, then the manifest that names them, each file whole or not
 * there. A conversion that was stored there before is replaced by the manifest's rename, after which its arrays go.
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
    version: 1,
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
  const have = await mkdir(inside, { recursive: true })
    .then(() => readdir(inside))
    .catch((error: unknown) => {
      throw fileError("store", folder, error);
    });
  let bytes = 0;
  for (const [digest, array] of arrays) {
    bytes += array.bytes;
    if (have.includes(digest)) continue;
    await writeFileWhole(join(inside, digest), encodeArray(array), "store");
    await yieldToEvents(signal);
  }
  await writeFileWhole(join(folder, manifestName), JSON.stringify(manifest), "store");
  for (const name of have) if (!arrays.has(name)) await rm(join(inside, name), { force: true });
  return { arrays: arrays.size, bytes };
}
