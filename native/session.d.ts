// Sessions of ONNX Runtime in which the lookup operators of domain ai.lutnn run natively. The library is the one that the
// npm package onnxruntime-node brings: load that package first, then give the path of its library. One library a process.

/** An input or output of a file; type null is no tensor of numbers. An open axis is null, or its name. */
export interface Value {
  name: string;
  type: string | null;
  dims: (number | string | null)[];
}

/** Arrays by element type: bool is a Uint8Array, float16 a Uint16Array of each number's bits. */
export type Data =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export interface Tensor {
  data: Data;
  dims: number[];
}

export interface SessionOptions {
  /** 1 … 256, default 1. Threads that wait sleep. */
  threads?: number;
  /** false: the file's nodes one by one, as they stand. */
  optimize?: boolean;
  /** The instruction set of lookups; default what LUTNN_FORCE_ISA names, else the fastest. */
  isa?: string;
  /** Where the file that ONNX Runtime records each node's time in begins; default nothing is recorded. */
  profilePrefix?: string;
}

export interface Session {
  readonly inputs: Value[];
  readonly outputs: Value[];
  readonly isa: string;
  /** The nodes that run natively; optimisation may have left out some, or given them other names. */
  readonly lookups: { node: string; operator: string }[];
  /**
   * Computes all outputs in a thread of Node's, from copies of the arrays: one for each input, in their order, with its
   * lengths. Runs may overlap. Throws TypeError or RangeError on arrays that do not fit; the promise is rejected with what
   * ONNX Runtime says.
   */
  run(arrays: readonly Data[], dims: readonly (readonly number[])[]): Promise<Tensor[]>;
  /** Ends the recording; returns the path of its file. */
  endProfiling(): string;
  /** Frees the session: at once, or when the last of its runs has ended. */
  release(): void;
}

/** Makes a session of a file, by path or its bytes, in a thread of Node's. Rejected with what is wrong with the file. */
export function create(
  library: string,
  model: string | Uint8Array,
  options: SessionOptions,
): Promise<Session>;

/** Names of the operators that run natively. */
export function operators(): string[];

/** The version that a library says it has. */
export function version(library: string): string;

/** The functions of ONNX Runtime that are declared here, with their place in its table, and whether they were called yet. */
export function functions(library: string): { name: string; place: number; called: boolean }[];
