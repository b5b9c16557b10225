import { existsSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { readModel } from "../onnx/readModel";
import { manifestName } from "./writeConversion";

/** What was given in place of a network, and which call opens it. */
interface Mistaken {
  got: string;
  remedy: string;
}

/** @param file as it stands in a call */
const openOnnx = (file: string): string =>
  `await fromOnnx(${file}) makes a network of it, where it is dense; a file that was saved with lookups runs in InferenceSession.create(${file}), and openConversion(${file}) opens the conversion that it was saved from, where that was stored with it, { reopen: true }`;

function mistakenPath(path: string): Mistaken {
  const quoted = JSON.stringify(path);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found)
    return {
      got: `${quoted}, and there is no such file`,
      remedy: "openConversion(folder) opens a stored conversion",
    };
  if (found.isDirectory())
    return existsSync(join(path, manifestName))
      ? { got: `the folder of a stored conversion, ${quoted}`, remedy: `openConversion(${quoted}) opens it` }
      : {
          got: `the folder ${quoted}`,
          remedy: `await fromLayersModel(${quoted}) opens a network that tf.js saved there, openConversion(folder) a stored conversion`,
        };
  if (extname(path).toLowerCase() === ".json")
    return {
      got: `the file ${quoted}`,
      remedy: `await fromLayersModel(${quoted}) opens a network that tf.js saved`,
    };
  if (extname(path).toLowerCase() === ".onnx")
    return {
      got: `the ONNX file ${quoted}`,
      remedy: openOnnx(quoted),
    };
  return {
    got: `the file ${quoted}`,
    remedy: "await fromLayersModel(path) opens a network that tf.js saved",
  };
}

function mistakenBytes(bytes: Uint8Array): Mistaken {
  try {
    readModel(bytes, "");
    return { got: "the bytes of an ONNX file", remedy: openOnnx("bytes") };
  } catch {
    return {
      got: `${bytes.length} bytes of no known format`,
      remedy: "await fromLayersModel(path) opens a network that tf.js saved",
    };
  }
}

function mistaken(given: unknown): Mistaken {
  if (typeof given === "string") return mistakenPath(given);
  if (given instanceof ArrayBuffer) return mistakenBytes(new Uint8Array(given));
  if (given instanceof Uint8Array) return mistakenBytes(given);
  if (given instanceof Promise) return { got: "a promise", remedy: "wait for it with await" };
  if (given instanceof tf.GraphModel)
    return { got: "a tf.GraphModel", remedy: "its layers are not known; load it as a tf.LayersModel" };
  const kind = given === null || given === undefined ? String(given) : typeof given;
  const article = kind === "object" ? "an " : kind === String(given) ? "" : "a ";
  return { got: `${article}${kind}`, remedy: "lutnn.models and tf.model make networks" };
}

/**
 * Throws LutnnError on whatever is no network, with the call that opens it: a path, the bytes of a file, a promise; `what`
 * opens the sentence.
 */
export function checkNetwork(what: string, given: unknown): asserts given is tf.LayersModel {
  if (given instanceof tf.LayersModel) return;
  const { got, remedy } = mistaken(given);
  throw new LutnnError(`${what}: the network must be a tf.LayersModel (got ${got}); ${remedy}`);
}
