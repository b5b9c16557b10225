import { existsSync } from "node:fs";
import { readdir, realpath, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-node";
import { type Data, examplesOf } from "../datasets/from";
import { LutnnError } from "../errors";
import { readFileWhole } from "../files/readFile";
import { writeBeside, writeFileWhole } from "../files/writeFile";
import { cellSignal } from "../host/signal";
import { checkFile } from "../inference/checkFile";
import { type ExportOptions, exportOnnx } from "../layers/exportOnnx";
import { NetworkGraph } from "../layers/graph";
import { externalEntry, outsideTensors } from "../onnx/externalData";
import type { FunctionForm } from "../onnx/model";
import { readModel } from "../onnx/readModel";
import { dataFilesOf, splitData } from "../onnx/splitData";
import type { Task } from "../tasks/task";
import { integerRemainder } from "./remainder/integerRemainder";
import { describeRemainder, remainderKey, warningsOfRemainder } from "./remainder/remainderReport";
import type { Samples } from "./samples";

export interface SaveOptions {
  /**
   * Run the bytes in ONNX Runtime on a few examples and write them only if they compute what the network computes.
   * Default true.
   */
  check?: boolean;
  /**
   * "inlined": replaced layers stand in the file as nodes of standard operators, for runtimes that know no functions of a
   * file, as OpenVINO; larger by some nodes a layer, and nothing runs them natively. Default "local".
   */
  functions?: FunctionForm;
  /**
   * The large constants in a file of their own beside it, `NAME.onnx.….data`, which sessions read in place: two sessions share
   * them, and a reader of the file alone reads little. Both belong together. Default false: one file.
   */
  externalData?: boolean;
  /**
   * Of a conversion: stores the work beside the file, in the folder `NAME.onnx.work` as `store` writes it, so that
   * `openConversion(path)` goes on from the file. That holds all that was learnt, and the dense network: many times the file,
   * which does not change but for the folder's name in it. Default false.
   */
  reopen?: boolean;
  /**
   * "int8": what is left dense (convolutions and dense layers that are no lookups) computes in INT8, as INT8 engines do: the
   * file is smaller and faster, and its answers move a little, which the returned sentence and `fileInfo` tell. Default "float32".
   */
  remainder?: RemainderForm;
  /**
   * For a remainder in INT8: real examples, by whose values ranges are chosen, 64 or more; their targets are not read. Default, of
   * a conversion: the data that `calibrate`, `fineTune` or `evaluate` were given last.
   */
  examples?: Data;
  /** More that the file says of itself, as accuracy or licence: its `metadata_props`. Keys of `lutnn.…` are ours. */
  metadata?: Readonly<Record<string, string>>;
  /** Whether a file of that name is replaced. Default true; with false it is refused. */
  overwrite?: boolean;
  signal?: AbortSignal;
}

/** In which numbers a file computes what is no lookup. */
export type RemainderForm = "float32" | "int8";

/** Throws LutnnError on metadata that cannot stand beside ours. */
function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(metadata)) {
    if (key === "" || key.startsWith("lutnn."))
      throw new LutnnError(
        `save: keys of metadata must be names that do not begin with "lutnn." (got ${JSON.stringify(key)}); choose another`,
      );
    if (typeof value !== "string")
      throw new LutnnError(
        `save: metadata must be texts (got ${typeof value} for ${JSON.stringify(key)}); write it as a text`,
      );
  }
}

/** Throws LutnnError on a form of functions that there is not. */
function checkFunctions(functions: FunctionForm): void {
  if (functions !== "local" && functions !== "inlined")
    throw new LutnnError(
      `save: functions must be "local" or "inlined" (got ${JSON.stringify(functions)}); leave it out for "local"`,
    );
}

/** Throws LutnnError on a name that says another format. */
function checkName(path: string): void {
  const extension = extname(path);
  if (extension.toLowerCase() !== ".onnx")
    throw new LutnnError(
      `save: the file is ONNX, so its name must end in .onnx (got ${JSON.stringify(path)}); to keep the work itself use store(folder)`,
    );
}

/** Throws LutnnError where a file of that name is there and is to stay. */
function checkOverwrite(path: string, overwrite: boolean): void {
  if (typeof overwrite !== "boolean")
    throw new LutnnError(
      `save: overwrite must be true or false (got ${JSON.stringify(overwrite)}); leave it out for true`,
    );
  if (!overwrite && existsSync(path))
    throw new LutnnError(
      `save: ${path} must not be there yet, as it is not to be overwritten (it is there); choose another name, or allow it`,
    );
}

/** Throws LutnnError on a remainder that there is not, and on examples for none. */
function checkRemainder(remainder: RemainderForm, examples: Data | undefined): void {
  if (remainder !== "float32" && remainder !== "int8")
    throw new LutnnError(
      `save: remainder must be "float32" or "int8" (got ${JSON.stringify(remainder)}); leave it out for "float32"`,
    );
  if (examples !== undefined && remainder !== "int8")
    throw new LutnnError(
      'save: examples are for a remainder in INT8 (got some, and remainder is "float32"); leave them out, or pass { remainder: "int8" }',
    );
}

/** The bytes of a file that may be written. */
export interface CheckedFile {
  bytes: Uint8Array;
  /** How they were checked, and what stays dense in INT8, as words. */
  checked: string;
  /** What else the user should know, a sentence each. */
  warnings: string[];
}

/** Throws LutnnError on a path or options that no file can have, before anything is computed. */
export function checkSave(
  path: string,
  { functions = "local", metadata = {}, remainder = "float32", examples, overwrite = true }: SaveOptions,
): void {
  checkName(path);
  checkOverwrite(path, overwrite);
  checkFunctions(functions);
  checkMetadata(metadata);
  checkRemainder(remainder, examples);
}

/** What a file is made of beside its network. */
export interface FileParts extends Pick<ExportOptions, "outputNames" | "metadata"> {
  /** A few examples that the file is checked on. */
  samples: Samples;
  /** Where ranges of a remainder in INT8 come from, unless examples are given; null where no data are known. */
  known: Data | null;
  /** What the network is for, where that is known. */
  task: Task | null;
}

/** A network as an ONNX file, checked at the door. */
export async function makeFile(
  model: tf.LayersModel,
  parts: FileParts,
  { remainder = "float32", ...options }: SaveOptions,
): Promise<CheckedFile> {
  if (remainder === "float32") return makeChecked(new NetworkGraph(model), parts, options);
  const data = options.examples ?? parts.known;
  if (!data)
    throw new LutnnError(
      "save: a remainder in INT8 must have real examples to choose ranges by (none are known here); pass them as { examples }",
    );
  const made = await integerRemainder(new NetworkGraph(model), {
    what: "save",
    data: await examplesOf(data),
    task: parts.task,
    signal: cellSignal(options.signal),
  });
  try {
    const metadata = { ...parts.metadata, [remainderKey]: JSON.stringify(made.report) };
    const graph = new NetworkGraph(model, made.layerOf);
    const file = await makeChecked(graph, { ...parts, metadata }, options);
    return {
      ...file,
      checked: `${describeRemainder(made.report)}, ${file.checked}`,
      warnings: warningsOfRemainder(made.report),
    };
  } finally {
    made.dispose();
  }
}

/** The file of a graph, checked against that graph as tf.js computes it. */
async function makeChecked(
  graph: NetworkGraph,
  { outputNames, metadata, samples }: FileParts,
  { check = true, functions = "local", metadata: more = {}, signal }: SaveOptions,
): Promise<CheckedFile> {
  const bytes = exportOnnx(graph, { outputNames, metadata: { ...more, ...metadata }, functions });
  if (!check) return { bytes, checked: "not checked", warnings: [] };
  const inputs = samples.tensors();
  try {
    const result = await checkFile(bytes, graph, inputs, { signal });
    if (!result.ok)
      throw new LutnnError(
        `save: the file must compute what the network computes (${result.sentence}); nothing was written, and { check: false } writes it all the same`,
      );
    const checked = `checked in ONNX Runtime on ${inputs[0].shape[0]} ${samples.origin}`;
    return { bytes, checked, warnings: [] };
  } finally {
    tf.dispose(inputs);
  }
}

const bytesText = (bytes: number): string => `${bytes.toLocaleString("en")} bytes`;

/**
 * Writes a file, whole or not there, with `externalData` its large constants beside it; returns what was written, as words.
 * The name of these says their content and is new with it, so that at every moment the file finds its own; those of the file
 * that was there before go last.
 */
export async function writeModelFile(
  path: string,
  bytes: Uint8Array,
  { externalData = false }: SaveOptions,
): Promise<string> {
  const target = await realpath(path).catch(() => path); // where the path is a link, the file that it leads to
  const before = await dataFilesBefore(target);
  const split = externalData ? splitData(bytes, basename(target)) : null;
  if (!split) await writeFileWhole(path, bytes, "save");
  else await writeTogether(path, split.model, join(dirname(target), split.location), split.data);
  for (const name of before)
    if (name !== split?.location)
      await rm(join(dirname(target), name), { force: true }).catch(() => undefined);
  if (!split) return bytesText(bytes.length);
  return `${bytesText(split.model.length)}, with ${bytesText(split.data.length)} in ${split.location}`;
}

/** A file and the one that its constants lie in: both are written before either has its name, the constants' first. */
async function writeTogether(
  path: string,
  model: Uint8Array,
  beside: string,
  data: Uint8Array,
): Promise<void> {
  const wasThere = existsSync(beside);
  const constants = await writeBeside(beside, data, "save");
  const file = await writeBeside(path, model, "save").catch(async (error) => {
    await constants.discard();
    throw error;
  });
  await constants.place().catch(async (error) => {
    await file.discard();
    throw error;
  });
  await file.place().catch(async (error) => {
    if (!wasThere) await rm(beside, { force: true }).catch(() => undefined); // the first error says more
    throw error;
  });
}

/** Names of the files beside a path that the file there now has its constants in, as this library calls them. */
async function dataFilesBefore(path: string): Promise<string[]> {
  const ours = dataFilesOf(basename(path));
  const names = (await readdir(dirname(path)).catch(() => [])).filter((name) => ours.test(name));
  if (names.length === 0) return [];
  try {
    const outside = outsideTensors(readModel(await readFileWhole(path, "save"), "save"));
    const locations = new Set(outside.map((tensor) => externalEntry(tensor, "location")));
    return names.filter((name) => locations.has(name));
  } catch {
    return []; // no file, or another's: nothing beside it is known to be its own
  }
}
