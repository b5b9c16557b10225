import type * as ort from "onnxruntime-node";
import type { ExampleSource } from "../datasets/examples";
import { LutnnError } from "../errors";
import { readFileWhole } from "../files/readFile";
import { readModel } from "../onnx/readModel";
import type { Head } from "../tasks/head";
import type { Evaluation } from "../training/evaluate";
import { evaluateSession, type SessionEvaluateOptions } from "./evaluateSession";
import { headOfFile } from "./fileHead";
import { onnxRuntime, reasonOf } from "./onnxRuntime";
import {
  type ArrayOf,
  checkFeed,
  type ElementType,
  type FileValue,
  fileValue,
  type TensorData,
  valueText,
} from "./tensorData";

export interface SessionOptions {
  /** Threads that one run may use. Default 1. */
  threads?: number;
  /** false: ONNX Runtime computes the file's nodes one by one, as they stand. Default true. */
  optimize?: boolean;
}

async function bytesOf(model: string | Uint8Array): Promise<Uint8Array> {
  if (model instanceof Uint8Array) return model;
  if (typeof model !== "string")
    throw new LutnnError(
      `InferenceSession: the model must be a path or the bytes of a file (got ${model === null ? "null" : typeof model}); give a string or a Uint8Array`,
    );
  return readFileWhole(model, "InferenceSession");
}

/**
 * An ONNX file in ONNX Runtime (CPU). Replaced layers run as the functions of standard operators that the file brings;
 * all verbs are ONNX Runtime's.
 */
export class InferenceSession {
  /** What runs the nodes. */
  readonly backend = "onnxruntime";
  private released = false;

  private constructor(
    private readonly session: ort.InferenceSession,
    readonly name: string,
    /** Names, element types and dims, in the file's order. */
    readonly inputs: readonly FileValue[],
    readonly outputs: readonly FileValue[],
    /** How the first output ends. */
    readonly head: Head,
    /** What the file says of itself: its `metadata_props`. */
    readonly metadata: Readonly<Record<string, string>>,
  ) {}

  /**
   * @param model path or bytes of the file
   * Throws LutnnError when the file is missing, damaged or not an ONNX model.
   */
  static async create(model: string | Uint8Array, options: SessionOptions = {}): Promise<InferenceSession> {
    const { threads = 1, optimize = true } = options;
    if (!Number.isInteger(threads) || threads < 1)
      throw new LutnnError(
        `InferenceSession: threads must be a whole number from 1 (got ${threads}); leave it out for one thread`,
      );
    const bytes = await bytesOf(model);
    const name = typeof model === "string" ? model : "model";
    const decoded = readModel(bytes, name);
    const metadata = Object.fromEntries(decoded.metadataProps.map(({ key, value }) => [key, value]));
    const session = await onnxRuntime()
      .InferenceSession.create(bytes, {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        logSeverityLevel: 4, // its errors come as errors; it prints nothing
        graphOptimizationLevel: optimize ? "all" : "disabled",
      })
      .catch((error: unknown) => {
        throw new LutnnError(
          `InferenceSession: ONNX Runtime must accept ${name} (it says: ${reasonOf(error)}); write the file anew`,
        );
      });
    const described = (metadata: readonly ort.InferenceSession.ValueMetadata[]) =>
      metadata.map((one) => fileValue(one, name));
    try {
      return new InferenceSession(
        session,
        name,
        described(session.inputMetadata),
        described(session.outputMetadata),
        headOfFile(decoded),
        metadata,
      );
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  get inputNames(): readonly string[] {
    return this.inputs.map(({ name }) => name);
  }

  get outputNames(): readonly string[] {
    return this.outputs.map(({ name }) => name);
  }

  /** Throws LutnnError unless there is exactly one feed for each input, of its type and dims. */
  private checkFeeds(feeds: Record<string, TensorData>): void {
    const { name: file, inputs, inputNames } = this;
    const asked = inputs.map(valueText).join("; ");
    const unknown = Object.keys(feeds ?? {}).filter((name) => !inputNames.includes(name));
    if (unknown.length > 0)
      throw new LutnnError(
        `InferenceSession: feeds must be inputs of ${file} (got ${unknown.join(", ")}); it takes ${asked}`,
      );
    const missing = inputNames.filter((name) => feeds?.[name] === undefined);
    if (missing.length > 0)
      throw new LutnnError(
        `InferenceSession: every input of ${file} needs a feed (missing ${missing.join(", ")}); it takes ${asked}`,
      );
    const free = new Map<string, number>();
    for (const input of inputs) checkFeed(file, input, feeds[input.name], free);
  }

  /**
   * Runs the network on named inputs of any type and rank. `A` is the array type of the outputs that the caller reads,
   * float32 unless said; `outputs` says what the file gives.
   */
  async run<A extends ArrayOf[ElementType] = Float32Array>(
    feeds: Record<string, TensorData>,
  ): Promise<Record<string, TensorData<A>>> {
    if (this.released)
      throw new LutnnError(`InferenceSession: the session of ${this.name} is released; create it anew`);
    this.checkFeeds(feeds);
    const { Tensor } = onnxRuntime();
    const inputs = Object.fromEntries(
      this.inputs.map(({ name, type }) => {
        const { data, dims } = feeds[name];
        return [name, new Tensor(type as "float32", data as Float32Array, dims)];
      }),
    );
    const results = await this.session.run(inputs).catch((error: unknown) => {
      throw new LutnnError(
        `InferenceSession: ONNX Runtime must be able to run ${this.name} on these inputs (it says: ${reasonOf(error)}); compare their dims with what the network was made for`,
      );
    });
    return Object.fromEntries(
      this.outputNames.map((name) => {
        const { data, dims } = results[name];
        return [name, { data: data as A, dims }];
      }),
    );
  }

  /**
   * How good the file is on examples, in the words of its task: as its end and the examples' targets tell, or as given.
   * Images are brought into the file's layout, numbers into its types.
   */
  async evaluate(data: ExampleSource, options: SessionEvaluateOptions = {}): Promise<Evaluation> {
    return evaluateSession(this, data, options);
  }

  /** Frees the memory of ONNX Runtime's session, which cannot run after that. */
  async release(): Promise<void> {
    if (this.released) return;
    this.released = true;
    await this.session.release();
  }
}
