import { extname } from "node:path";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { writeFileWhole } from "../files/writeFile";
import { checkFile } from "../inference/checkFile";
import { type ExportOptions, exportOnnx } from "../layers/exportOnnx";
import type { FunctionForm } from "../onnx/model";
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
  /** More that the file says of itself, as accuracy or licence: its `metadata_props`. Keys of `lutnn.…` are ours. */
  metadata?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
}

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

/** Writes a network as an ONNX file, checked at the door; returns its size and how it was checked, as words. */
export async function saveFile(
  path: string,
  model: tf.LayersModel,
  { outputNames, metadata }: Pick<ExportOptions, "outputNames" | "metadata">,
  samples: Samples,
  { check = true, functions = "local", metadata: more = {}, signal }: SaveOptions,
): Promise<{ bytes: number; checked: string }> {
  checkName(path);
  checkFunctions(functions);
  checkMetadata(more);
  const bytes = exportOnnx(model, { outputNames, metadata: { ...more, ...metadata }, functions });
  let checked = "not checked";
  if (check) {
    const inputs = samples.tensors();
    try {
      const result = await checkFile(bytes, model, inputs, { signal });
      if (!result.ok)
        throw new LutnnError(
          `save: the file must compute what the network computes (${result.sentence}); nothing was written, and { check: false } writes it all the same`,
        );
      checked = `checked in ONNX Runtime on ${inputs[0].shape[0]} ${samples.origin}`;
    } finally {
      tf.dispose(inputs);
    }
  }
  await writeFileWhole(path, bytes, "save");
  return { bytes: bytes.length, checked };
}
