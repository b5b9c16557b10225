import type { NodeProfile } from "./sessionProfile";
import type { FileValue, TensorData } from "./tensorData";

/** What runs a file's nodes: see {@link SessionOptions}. */
export type BackendName = "native" | "onnxruntime" | "reference";

export interface BackendOptions {
  threads: number;
  optimize: boolean;
  /** Of the native backend's lookups; else what runs by itself. */
  isa?: string;
  /** Where the names of the files begin that ONNX Runtime records nodes in; without it nothing is recorded. */
  profilePrefix?: string;
}

/** A file in one of the backends. Its errors are ONNX Runtime's own. */
export interface Running {
  /** In the file's order. */
  readonly inputs: readonly FileValue[];
  readonly outputs: readonly FileValue[];
  /** The instruction set of native lookups. */
  readonly isa?: string;
  /** All outputs for all inputs, each in the file's order; runs may overlap. */
  run(inputs: readonly TensorData[]): Promise<TensorData[]>;
  /** What a backend that is not ONNX Runtime alone has recorded itself; else ONNX Runtime's file has it. */
  recorded?(): { runs: number; nodes: NodeProfile[] };
  /** Ends what is recorded, so that its file is written. */
  endProfiling(): void;
  /** Frees it; no run may be on its way. */
  release(): Promise<void>;
}
