import { stat } from "node:fs/promises";
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
import { fingerprint } from "./fingerprint";
import { History } from "./history";
import { type Manifest, readManifest, unstoreState } from "./manifest";
import { Named, recordOf, type VerbRecord } from "./record";
import { announceConversion } from "./registry";
import { type StoredArray, setWeights } from "./storedArray";
import { chooseTargets } from "./targets";
import { workOfFile } from "./workOfFile";
import { arraysFolder, manifestName } from "./writeConversion";

const doing = "openConversion";
/** Bytes; a manifest names arrays and holds none. */
const longestManifest = 2 ** 28;

export interface OpenOptions {
  /** What the network is for, where it was a task of one's own. */
  task?: TaskName | Task;
  /** Of a file: the folder that `store` wrote, where that is not the one that `save(path, { reopen: true })` wrote beside it. */
  work?: string;
}

/**
 * Opens a conversion: the dense network, everything that was learnt, every state. Of a folder that `store` wrote, at the
 * state in which it was; of a file that `save` wrote with `{ reopen: true }`, or with the folder of its work, at the state
 * that the file was saved from. Throws LutnnError on a folder that holds none, or whose arrays are damaged, and on a file
 * whose work is not stored: lookups alone are no network to be trained or restored.
 * @param from path of the folder or file, or a file's bytes
 */
export async function openConversion(
  from: string | Uint8Array,
  options: OpenOptions = {},
): Promise<Conversion> {
  const record = recordOf("openConversion", [
    typeof from === "string" ? from : new Named(from, "the file's bytes"),
    { ...options },
  ]);
  const isFile = typeof from !== "string" || (await stat(from).catch(() => null))?.isFile();
  if (!isFile) {
    if (options.work !== undefined)
      throw new LutnnError(
        `openConversion: work must be left out for a folder (got ${JSON.stringify(options.work)} beside ${JSON.stringify(from)}); it is for files`,
      );
    return openFolder(from as string, options, record);
  }
  const { folder, state, file } = await workOfFile(from, options.work);
  return openFolder(folder, options, record, ({ entries, current }) => {
    const found = [...entries, current].reverse().find((entry) => fingerprint(entry.state) === state);
    if (found) return found.id;
    throw new LutnnError(
      `openConversion: the work in ${JSON.stringify(folder)} must have the state that ${file} was saved from (it has none of ${entries.length} states with its fingerprint); the file or the work was replaced since: open the folder itself to go on from its own state`,
    );
  });
}

/** @param at the number of the state to be in; else that in which it was stored */
async function openFolder(
  folder: string,
  options: OpenOptions,
  record: VerbRecord,
  at?: (history: History) => number,
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
  const history = new History(entries, manifest.current);
  if (at) history.goTo("openConversion", at(history));
  const conversion = new Conversion({
    graph,
    profile,
    targets,
    taskName,
    task: taskOf(graph.model, options.task ?? taskName ?? undefined, "openConversion"),
    history,
    remarks: remarksOn(profile),
    beginning: { record, states: entries.length },
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
        ? `${doing}: the path must be a folder that conversion.store wrote (got the file ${JSON.stringify(folder)}); give the folder`
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
