import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { NetworkGraph } from "../layers/graph";
import type { TaskName } from "../tasks/derive";
import type { Task } from "../tasks/task";
import { taskOf } from "../training/taskOf";
import { decodeArray } from "./arrayFile";
import { Conversion } from "./conversion";
import { remarksOn } from "./convert";
import { History } from "./history";
import { type Manifest, readManifest, unstoreState } from "./manifest";
import type { StoredArray } from "./storedArray";
import { chooseTargets } from "./targets";
import { arraysFolder, manifestName } from "./writeConversion";

/**
 * Opens a conversion that `store` wrote: the dense network, everything that was learnt, every state, at the state in
 * which it was. `task` is needed where it was one of your own. Throws LutnnError on a folder that holds none, or whose
 * arrays are damaged.
 */
export async function openConversion(
  folder: string,
  options: { task?: TaskName | Task } = {},
): Promise<Conversion> {
  const text = await readFile(join(folder, manifestName), "utf8").catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new LutnnError(
      code === "ENOTDIR"
        ? `openConversion: the path must be a folder that conversion.store wrote (${JSON.stringify(folder)} is a file); InferenceSession.create(path) runs an ONNX file`
        : `openConversion: the folder must hold a stored conversion (${join(folder, manifestName)}: ${code ?? message}); store one with conversion.store(folder)`,
    );
  });
  const manifest = readManifest(text, join(folder, manifestName));
  const known = new Map<string, Promise<StoredArray>>();
  const load = (digest: string): Promise<StoredArray> => {
    const found = known.get(digest) ?? readArray(folder, digest);
    known.set(digest, found);
    return found;
  };
  const model = await readModel(manifest, folder);
  const graph = new NetworkGraph(model);
  for (const [name, digests] of Object.entries(manifest.dense)) {
    const arrays = await Promise.all(digests.map(load));
    tf.tidy(() =>
      graph.layer(name).setWeights(arrays.map(({ shape, floats }) => tf.tensor(floats, shape as number[]))),
    );
  }
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
  return new Conversion({
    graph,
    profile,
    targets,
    taskName,
    task: taskOf(model, options.task ?? taskName ?? undefined, "openConversion"),
    history: new History(entries, manifest.current),
    remarks: remarksOn(profile),
  });
}

async function readModel({ topology }: Manifest, folder: string): Promise<tf.LayersModel> {
  try {
    return await tf.models.modelFromJSON(JSON.parse(topology));
  } catch (error) {
    throw new LutnnError(
      `openConversion: the dense network in ${folder} must be one that tf.js can build (${(error as Error).message.split("\n")[0]}); register layers of your own with tf.serialization.registerClass first`,
    );
  }
}

async function readArray(folder: string, digest: string): Promise<StoredArray> {
  const path = join(folder, arraysFolder, digest);
  const bytes = await readFile(path).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new LutnnError(
      `openConversion: ${path} must be readable (${code ?? message}); the stored conversion is not whole`,
    );
  });
  const array = decodeArray(bytes, path);
  if (array.digest !== digest)
    throw new LutnnError(`openConversion: ${path} must hold what its name says (it does not); it is damaged`);
  return array;
}
