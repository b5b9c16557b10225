import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nativeStatus } from "../compute/backend";
import type { ExampleSource } from "../datasets/examples";
import { LutnnError } from "../errors";
import { readFileWhole } from "../files/readFile";
import { bringDataIn, checkOutside, folderOf } from "../onnx/externalData";
import { readModel } from "../onnx/readModel";
import type { Head } from "../tasks/head";
import type { Evaluation } from "../training/evaluate";
import type { BackendName, BackendOptions, Running } from "./backend";
import { evaluateSession, type SessionEvaluateOptions } from "./evaluateSession";
import { headOfFile } from "./fileHead";
import { nativeSession, nativeSessionStatus } from "./nativeSession";
import { reasonOf } from "./onnxRuntime";
import { onnxRuntimeSession } from "./onnxRuntimeSession";
import { referenceSession } from "./referenceSession";
import { readProfile, SessionProfile } from "./sessionProfile";
import {
  type ArrayOf,
  checkFeed,
  type ElementType,
  type FileValue,
  type TensorData,
  valueText,
} from "./tensorData";

const backends: readonly BackendName[] = ["native", "onnxruntime", "reference"];

export interface SessionOptions {
  /**
   * What runs the nodes. `native`: ONNX Runtime with replaced layers as operators of our own; creation throws where one of
   * them would run as something else. `onnxruntime`: ONNX Runtime alone, replaced layers as the functions of standard
   * operators that the file brings. `reference`: replaced layers by plain TypeScript loops, what lies between them by ONNX
   * Runtime: slow, and what the others are compared with. Default `native` where that is built, else `onnxruntime`; the session's `backend` says.
   */
  backend?: BackendName;
  /** Threads that one run may use, 1 … 256. Default 1. */
  threads?: number;
  /** The instruction set of native lookups. Default what LUTNN_FORCE_ISA names, else the fastest. */
  isa?: string;
  /** false: ONNX Runtime computes the file's nodes one by one, as they stand. Default true. */
  optimize?: boolean;
  /** true: each node's time is recorded, for {@link InferenceSession.profile}. Default false. */
  profile?: boolean;
}

/** The options with their defaults. Throws LutnnError on what is none. */
function checkOptions(options: SessionOptions): BackendOptions & { backend: BackendName; profile: boolean } {
  const { threads = 1, optimize = true, profile = false, isa } = options;
  const { backend = nativeSessionStatus().available ? "native" : "onnxruntime" } = options;
  if (!backends.includes(backend))
    throw new LutnnError(
      `InferenceSession: backend must be ${backends.slice(0, -1).join(", ")} or ${backends[backends.length - 1]} (got ${JSON.stringify(backend)}); leave it out for what is there`,
    );
  if (!Number.isInteger(threads) || threads < 1 || threads > 256)
    throw new LutnnError(
      `InferenceSession: threads must be a whole number from 1 to 256 (got ${threads}); leave it out for one thread`,
    );
  if (isa !== undefined) {
    const status = nativeStatus();
    const available: readonly string[] = status.available ? status.availableIsas : [];
    if (backend !== "native")
      throw new LutnnError(
        `InferenceSession: isa must be left out unless the backend is native (got ${JSON.stringify(isa)} and ${backend}); ONNX Runtime chooses its own instructions`,
      );
    if (!available.includes(isa))
      throw new LutnnError(
        `InferenceSession: isa must name an instruction set that is available here (got ${JSON.stringify(isa)}); available are: ${available.join(", ")}`,
      );
  }
  return { backend, threads, optimize, profile, isa };
}

async function bytesOf(model: string | Uint8Array): Promise<Uint8Array> {
  if (model instanceof Uint8Array) return model;
  if (typeof model !== "string")
    throw new LutnnError(
      `InferenceSession: the model must be a path or the bytes of a file (got ${model === null ? "null" : typeof model}); give a string or a Uint8Array`,
    );
  return readFileWhole(model, "InferenceSession");
}

/** An ONNX file on the processor; all verbs are ONNX Runtime's. */
export class InferenceSession {
  private released = false;
  private readonly pending = new Set<Promise<unknown>>();
  private profiled?: SessionProfile;

  private constructor(
    private readonly running: Running,
    /** What runs the nodes. */
    readonly backend: BackendName,
    readonly name: string,
    /** How the first output ends. */
    readonly head: Head,
    /** What the file says of itself: its `metadata_props`. */
    readonly metadata: Readonly<Record<string, string>>,
    /** Where nodes are recorded. */
    private readonly recordFolder?: string,
  ) {}

  /**
   * @param model path of the file, with what belongs to it in its folder, or bytes that hold all; leave the bytes alone until the session is there
   * Throws LutnnError when the file is missing, damaged or not an ONNX model, or cannot run as the options ask.
   */
  static async create(model: string | Uint8Array, options: SessionOptions = {}): Promise<InferenceSession> {
    const { backend, profile, ...rest } = checkOptions(options);
    const bytes = await bytesOf(model);
    const name = typeof model === "string" ? model : "model";
    const decoded = readModel(bytes, name);
    const folderOfFile = typeof model === "string" ? folderOf(model) : null;
    const isSplit = checkOutside(decoded, folderOfFile, `InferenceSession: ${name}`);
    const metadata = Object.fromEntries(decoded.metadataProps.map(({ key, value }) => [key, value]));
    const folder = profile ? mkdtempSync(join(tmpdir(), "lutnn-profile-")) : undefined;
    const settings = folder ? { ...rest, profilePrefix: join(folder, "nodes") } : rest;
    try {
      if (backend === "reference") bringDataIn(decoded, folderOfFile, `InferenceSession: ${name}`);
      const running = await {
        native: () => nativeSession(model, name, decoded, settings),
        onnxruntime: () => onnxRuntimeSession(isSplit ? model : bytes, name, settings),
        reference: () => referenceSession(decoded, name, settings),
      }[backend]();
      return new InferenceSession(running, backend, name, headOfFile(decoded), metadata, folder);
    } catch (error) {
      if (folder) rmSync(folder, { recursive: true, force: true });
      if (error instanceof LutnnError) throw error;
      throw new LutnnError(
        `InferenceSession: ONNX Runtime must accept ${name} (it says: ${reasonOf(error)}); write the file anew`,
      );
    }
  }

  /** Names, element types and dims, in the file's order. */
  get inputs(): readonly FileValue[] {
    return this.running.inputs;
  }

  get outputs(): readonly FileValue[] {
    return this.running.outputs;
  }

  /** The instruction set of native lookups; undefined in another backend. */
  get isa(): string | undefined {
    return this.running.isa;
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
    const run = this.running.run(this.inputs.map(({ name }) => feeds[name]));
    this.pending.add(run);
    try {
      const results = await run;
      return Object.fromEntries(this.outputNames.map((name, i) => [name, results[i] as TensorData<A>]));
    } catch (error) {
      if (error instanceof LutnnError) throw error;
      throw new LutnnError(
        `InferenceSession: ONNX Runtime must be able to run ${this.name} on these inputs (it says: ${reasonOf(error)}); compare their dims with what the network was made for`,
      );
    } finally {
      this.pending.delete(run);
    }
  }

  /**
   * The time of each node in the runs so far, of a session made with `{ profile: true }`. This ends the recording: asked
   * again it says the same. Waits for runs that are on their way.
   */
  async profile(): Promise<SessionProfile> {
    if (this.profiled) return this.profiled;
    const { recordFolder } = this;
    if (recordFolder === undefined)
      throw new LutnnError(
        `InferenceSession: the session of ${this.name} must be made to be profiled (it records nothing); create it with { profile: true }`,
      );
    if (this.released)
      throw new LutnnError(
        `InferenceSession: the session of ${this.name} is released; ask for its profile before`,
      );
    await Promise.allSettled([...this.pending]);
    if (this.profiled) return this.profiled;
    this.running.endProfiling();
    this.profiled = this.readRecord(recordFolder);
    return this.profiled;
  }

  private readRecord(folder: string): SessionProfile {
    const recorded = this.running.recorded?.();
    if (recorded) return new SessionProfile(this.backend, recorded.runs, recorded.nodes);
    const [file] = readdirSync(folder);
    return readProfile(this.backend, readFileSync(join(folder, file), "utf8"));
  }

  /**
   * How good the file is on examples, in the words of its task: as its end and the examples' targets tell, or as given.
   * Images are brought into the file's layout, numbers into its types.
   */
  async evaluate(data: ExampleSource, options: SessionEvaluateOptions = {}): Promise<Evaluation> {
    return evaluateSession(this, data, options);
  }

  /** Frees the memory of ONNX Runtime's session, which cannot run after that; runs on their way end first. */
  async release(): Promise<void> {
    if (this.released) return;
    this.released = true;
    await Promise.allSettled([...this.pending]);
    await this.running.release();
    if (this.recordFolder) rmSync(this.recordFolder, { recursive: true, force: true });
  }
}
