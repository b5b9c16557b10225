import { basename } from "node:path";
import { z } from "zod";
import { Table } from "../charts/table";
import { LutnnError } from "../errors";
import { readFileWhole } from "../files/readFile";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import { LUTNN_DOMAIN } from "../onnx/builder";
import { externalEntry, outsideTensors } from "../onnx/externalData";
import type { ModelProto, NodeProto } from "../onnx/onnx_pb";
import { readModel } from "../onnx/readModel";
import { formatMetric } from "../training/metricValue";
import { stateKey, workKey } from "./fileMetadata";
import type { Measurement } from "./history";
import { measurement } from "./manifest";
import {
  describeRemainder,
  type RemainderReport,
  remainderKey,
  remainderReport,
} from "./remainder/remainderReport";

const savedLayer = z.object({
  op: z.string(),
  method: z.string(),
  /** N, D, M, K, V, C */
  positions: z.number(),
  inputLength: z.number(),
  outputs: z.number(),
  numCentroids: z.number(),
  subvectorLength: z.number(),
  numCodebooks: z.number(),
  data: z.string().optional(),
  examples: z.number().optional(),
  seed: z.number().optional(),
});

/** A replaced layer as a file tells of it. */
export type SavedLayer = z.infer<typeof savedLayer> & { name: string };

/** How lookups stand in a file: as functions of its own, as nodes of standard operators, or not at all. */
export type LookupForm = "local" | "inlined" | "none";

/** What an ONNX file says of itself; shows itself as a table of its replaced layers. Fields are null where it says nothing. */
export class FileInfo implements Displayable {
  constructor(
    readonly name: string,
    /** Of the file, and of those beside it in which it has constants. */
    readonly bytes: number,
    readonly externalBytes: number,
    readonly lookups: LookupForm,
    /** In network order. */
    readonly layers: readonly SavedLayer[],
    /** Version of this library that wrote it. */
    readonly version: string | null,
    readonly profile: string | null,
    readonly task: string | null,
    /** On what, or "no". */
    readonly fineTuned: string | null,
    /** What `evaluate` found of the network in this state. */
    readonly measured: Measurement | null,
    /** What stays dense in INT8, and what that does; null where all of it is float32. */
    readonly remainder: RemainderReport | null,
    /** Fingerprint of the conversion's state. */
    readonly state: string | null,
    /** Folder beside it with its work, for `openConversion`. */
    readonly work: string | null,
    /** All of its `metadata_props`, others' too. */
    readonly metadata: Readonly<Record<string, string>>,
  ) {}

  /** The file in a sentence or two. */
  get sentence(): string {
    const {
      name,
      bytes,
      externalBytes,
      lookups,
      version,
      profile,
      task,
      fineTuned,
      measured,
      remainder,
      work,
    } = this;
    const size = (count: number) => `${count.toLocaleString("en")} bytes`;
    const forms = {
      local: "lookups as functions",
      inlined: "lookups as standard operators",
      none: "no lookups",
    };
    const parts = [
      `${name}: ${size(bytes)}${externalBytes > 0 ? ` and ${size(externalBytes)} beside it` : ""}`,
      forms[lookups],
      ...(version === null ? [] : [`written by lutnn ${version}`]),
      ...(profile === null ? [] : [`profile ${profile}`]),
      ...(task === null ? [] : [task]),
      ...(fineTuned === null ? [] : [fineTuned === "no" ? "not fine-tuned" : `fine-tuned on ${fineTuned}`]),
      ...(measured === null
        ? []
        : [
            `${measured.metric} ${formatMetric(measured, measured.value)} on ${measured.examples.toLocaleString("en")} examples of ${measured.data}${remainder === null ? "" : ", all that is dense in float32"}`,
          ]),
      ...(remainder === null ? [] : [describeRemainder(remainder)]),
      ...(work === null ? [] : [`its work is in ${work}`]),
    ];
    return parts.join("; ");
  }

  toTable(): Table {
    return new Table(
      ["layer", "op", "method", "N", "D", "M", "K", "V", "C", "data", "examples", "seed"],
      this.layers.map((layer) => [
        layer.name,
        layer.op,
        layer.method,
        layer.positions,
        layer.inputLength,
        layer.outputs,
        layer.numCentroids,
        layer.subvectorLength,
        layer.numCodebooks,
        layer.data ?? null,
        layer.examples ?? null,
        layer.seed ?? null,
      ]),
      this.sentence,
    );
  }

  toString(): string {
    return this.layers.length > 0 ? this.toTable().toString() : this.sentence;
  }

  [displaySymbol](): MimeBundle {
    return this.layers.length > 0 ? this.toTable()[displaySymbol]() : { "text/plain": this.sentence };
  }
}

function lookupForm({ graph }: ModelProto, layers: readonly SavedLayer[]): LookupForm {
  const isLookup = ({ domain, opType }: NodeProto) => domain === LUTNN_DOMAIN && opType.startsWith("Lut");
  if (graph!.node.some(isLookup)) return "local";
  return layers.length > 0 ? "inlined" : "none";
}

/** What a text of the metadata holds. Throws LutnnError where it is not what this library writes. */
function parsed<T>(file: string, key: string, text: string | undefined, schema: z.ZodType<T>): T | null {
  if (text === undefined) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new LutnnError(
      `fileInfo: ${key} of ${file} must be what conversion.save writes there (got another text); the file was changed or is of another version`,
    );
  }
}

/**
 * What an ONNX file says of itself, without running it: how it was converted, layer by layer, how good it was found to be, and
 * what belongs to it. Throws LutnnError on what is no ONNX file.
 * @param file path or bytes
 */
export async function fileInfo(file: string | Uint8Array): Promise<FileInfo> {
  const bytes = typeof file === "string" ? await readFileWhole(file, "fileInfo") : file;
  const name = typeof file === "string" ? basename(file) : "model";
  const model = readModel(bytes, `fileInfo: ${name}`);
  const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
  const of = (key: string) => metadata[key] ?? null;
  const layers =
    parsed(name, "lutnn.layers", metadata["lutnn.layers"], z.record(z.string(), savedLayer)) ?? {};
  const rows = Object.entries(layers).map(([layer, saved]) => ({ name: layer, ...saved }));
  const external = outsideTensors(model).reduce(
    (sum, tensor) => sum + (Number(externalEntry(tensor, "length")) || 0),
    0,
  );
  return new FileInfo(
    name,
    bytes.length,
    external,
    lookupForm(model, rows),
    rows,
    of("lutnn.version"),
    of("lutnn.profile"),
    of("lutnn.task"),
    of("lutnn.fineTuned"),
    parsed(name, "lutnn.measured", metadata["lutnn.measured"], measurement),
    parsed(name, remainderKey, metadata[remainderKey], remainderReport),
    of(stateKey),
    of(workKey),
    metadata,
  );
}
