import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { readFileWhole } from "../files/readFile";
import { NetworkGraph } from "../layers/graph";
import type { TaskName } from "../tasks/derive";
import type { Task } from "../tasks/task";
import { taskOf } from "../training/taskOf";
import { decodeArray } from "./arrayFile";
import { Conversion } from "./conversion";
import { remarksOn } from "./convert";
import { History } from "./history";
import { type Manifest, readManifest, unstoreState } from "./manifest";
import { recordOf } from "./record";
import { announceConversion } from "./registry";
import { type StoredArray, setWeights } from "./storedArray";
import { chooseTargets } from "./targets";
import { arraysFolder, manifestName } from "./writeConversion";

const doing = "openConversion";
/** Bytes; a manifest names arrays and holds none. */
const longestManifest = 2 ** 28;

/**
 * Opens a conversion that `store` wrote: the dense network, everything that was learnt, every state, at the state in
 * which it was. `task` is needed where it was one of your own. Throws LutnnError on a folder that holds none, or whose
 * arrays are damaged.
 */
export async function openConversion(
  folder: string,
  options: { task?: TaskName | Task } = {},
): Promise<Conversion> {
  const manifest = readManifest(await manifestText(folder), join(folder, manifestName));
  const known = new Map<string, Promise<StoredArray>>();
  const load = (digest: string): Promise<StoredArray> => {
    const found = known.get(digest) ?? readArray(folder, digest);
    known.set(digest, found);
    return found;
  };
  const graph = await readGraph(manifest, folder);
  for (const [name, layer] of graph.layers)
    setWeights(layer, await Promise.all((manifest.dense[name] ?? []).map(load)));
  const choices = manifest.targets;
  const targets = chooseTargets(graph, {
    layers: choices.map(({ name }) => name),
    numCentroids: Object.fromEntries(choices.map(({ name, numCentroids }) => [name, numCentroids])),
    subvectorLength: Object.fromEntries(choices.map(({ name, subvectorLength }) => [name, subvectorLength])),
  });
  const entries = await Promise.all(
    manifest.states.map(async (entry) => ({ ...entry, state: await unstoreState(entry.state, load) })),
  );
  const { profile, task: taskName } = manifest;
  const conversion = new Conversion({
    graph,
    profile,
    targets,
    taskName,
    task: taskOf(graph.model, options.task ?? taskName ?? undefined, "openConversion"),
    history: new History(entries, manifest.current),
    remarks: remarksOn(profile),
    beginning: {
      record: recordOf("openConversion", [folder, { ...options }]),
      states: entries.length,
    },
  });
  announceConversion(conversion);
  return conversion;
}

async function manifestText(folder: string): Promise<string> {
  const path = join(folder, manifestName);
  const bytes = await readFileWhole(path, doing, longestManifest).catch((error: Error) => {
    const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    throw new LutnnError(
      code === "ENOTDIR"
        ? `${doing}: the path must be a folder that conversion.store wrote (got the file ${JSON.stringify(folder)}); InferenceSession.create(path) runs an ONNX file, fromOnnx(path) makes a network of a dense one`
        : `${doing}: the folder must hold a stored conversion (got ${code} for ${JSON.stringify(path)}); store one with conversion.store(folder)`,
      { cause: error.cause },
    );
  });
  return bytes.toString("utf8");
}

async function readGraph({ topology }: Manifest, folder: string): Promise<NetworkGraph> {
  try {
    return new NetworkGraph(await tf.models.modelFromJSON(JSON.parse(topology)));
  } catch (error) {
    throw new LutnnError(
      `openConversion: the dense network in ${folder} must be one that tf.js can build (${(error as Error).message.split("\n")[0]}); register layers of your own with tf.serialization.registerClass first`,
    );
  }
}

async function readArray(folder: string, digest: string): Promise<StoredArray> {
  const path = join(folder, arraysFolder, digest);
  const array = decodeArray(await readFileWhole(path, doing), path);
  if (array.digest !== digest)
    throw new LutnnError(`openConversion: ${path} must hold what its name says (it does not); it is damaged`);
  return array;
}
