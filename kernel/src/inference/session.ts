import { readFile } from "node:fs/promises";
import type * as ort from "onnxruntime-node";
import type { Dataset } from "../datasets/dataset";
import { LutnnError } from "../errors";
import { cellSignal, yieldToEvents } from "../host/signal";
import { readModel } from "../onnx/readModel";
import { onnxRuntime } from "./onnxRuntime";

/** A float32 tensor outside any library's memory. */
export interface TensorData {
  data: Float32Array;
  dims: readonly number[];
}

export interface SessionOptions {
  /** Threads that one run may use. Default 1. */
  threads?: number;
}

/** x (N, height, width, channels) → (N, channels, height, width). */
export function toChannelsFirst(x: Float32Array, [height, width, channels]: readonly number[]): Float32Array {
  if (channels === 1) return x;
  const plane = height * width;
  const y = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += plane * channels)
    for (let position = 0; position < plane; position++)
      for (let channel = 0; channel < channels; channel++)
        y[from + channel * plane + position] = x[from + position * channels + channel];
  return y;
}

/**
 * An ONNX file in ONNX Runtime (CPU). Replaced layers run as the functions of standard operators that the file brings;
 * all verbs are ONNX Runtime's.
 */
export class InferenceSession {
  /** What runs the nodes. */
  readonly backend = "onnxruntime";

  private constructor(
    private readonly session: ort.InferenceSession,
    readonly name: string,
  ) {}

  /**
   * @param model path or bytes of the file
   * Throws LutnnError when the file is missing, damaged or not an ONNX model.
   */
  static async create(model: string | Uint8Array, options: SessionOptions = {}): Promise<InferenceSession> {
    const name = typeof model === "string" ? model : "model";
    const bytes =
      typeof model === "string"
        ? await readFile(model).catch((error: NodeJS.ErrnoException) => {
            throw new LutnnError(
              `InferenceSession: the file ${model} must be readable (${error.code ?? error.message})`,
            );
          })
        : model;
    readModel(bytes, name);
    try {
      const session = await onnxRuntime().InferenceSession.create(bytes, {
        intraOpNumThreads: options.threads ?? 1,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
      });
      return new InferenceSession(session, name);
    } catch (error) {
      throw new LutnnError(
        `InferenceSession: ONNX Runtime must accept ${name} (it says: ${(error as Error).message.split("\n")[0]})`,
      );
    }
  }

  get inputNames(): readonly string[] {
    return this.session.inputNames;
  }

  get outputNames(): readonly string[] {
    return this.session.outputNames;
  }

  /** Runs the network on named inputs; lengths and types are ONNX Runtime's to check. */
  async run(feeds: Record<string, TensorData>): Promise<Record<string, TensorData>> {
    const { Tensor } = onnxRuntime();
    const inputs = Object.fromEntries(
      Object.entries(feeds).map(([name, { data, dims }]) => [name, new Tensor("float32", data, dims)]),
    );
    const outputs = await this.session.run(inputs).catch((error: Error) => {
      throw new LutnnError(
        `InferenceSession: ONNX Runtime could not run ${this.name} (${error.message.split("\n")[0]})`,
      );
    });
    return Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => [
        name,
        { data: tensor.data as Float32Array, dims: tensor.dims },
      ]),
    );
  }

  /** Per cent of a data set's images whose largest output is their label. */
  async evaluate(
    data: Dataset,
    options: { batchSize?: number; signal?: AbortSignal } = {},
  ): Promise<{ accuracy: number }> {
    const { batchSize = 256 } = options;
    const signal = cellSignal(options.signal);
    const [height, width, channels] = data.inputShape;
    let right = 0;
    for (const { images, labels } of data.batches(batchSize)) {
      const x = toChannelsFirst((await images.data()) as Float32Array, data.inputShape);
      const wanted = await labels.data();
      images.dispose();
      labels.dispose();
      const { output } = await this.run({
        input: { data: x, dims: [wanted.length, channels, height, width] },
      });
      const classes = output.data.length / wanted.length;
      for (let n = 0; n < wanted.length; n++) {
        const row = output.data.subarray(n * classes, (n + 1) * classes);
        if (row.indexOf(row.reduce((a, b) => Math.max(a, b))) === wanted[n]) right++;
      }
      await yieldToEvents(signal);
    }
    return { accuracy: (100 * right) / data.size };
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}
