import { create, toBinary } from "@bufbuild/protobuf";
import type * as ort from "onnxruntime-node";
import { DataType, LUTNN_DOMAIN, valueInfo } from "../onnx/builder";
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  ValueInfoProtoSchema,
} from "../onnx/onnx_pb";
import type { BackendOptions, Running } from "./backend";
import { onnxRuntime } from "./onnxRuntime";
import { onnxRuntimeSession } from "./onnxRuntimeSession";
import {
  checkFunctionNode,
  isReferenceNode,
  type ReferenceNode,
  readReferenceNode,
  runReferenceNode,
} from "./referenceNode";
import type { NodeProfile } from "./sessionProfile";
import { type Stage, stagesAtLookups } from "./stagesAtLookups";
import type { TensorData } from "./tensorData";

/** ONNX's number of an element type that ONNX Runtime calls so. */
const elementTypes: Record<string, DataType> = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  float16: DataType.FLOAT16,
  int8: DataType.INT8,
  uint8: DataType.UINT8,
  int16: DataType.INT16,
  uint16: DataType.UINT16,
  int32: DataType.INT32,
  uint32: DataType.UINT32,
  int64: DataType.INT64,
  uint64: DataType.UINT64,
  bool: DataType.BOOL,
};

type Values = Map<string, ort.Tensor>;

/** What lies between lookups, as a file of its own that ONNX Runtime runs. */
class Between {
  private session: Promise<ort.InferenceSession> | null = null;

  constructor(
    private readonly stage: Stage,
    private readonly model: ModelProto,
    private readonly constants: ReadonlyMap<string, TensorProto>,
    private readonly options: BackendOptions,
  ) {}

  get given(): string[] {
    return this.stage.reads.filter((name) => !this.constants.has(name));
  }

  /** Made at the first run: only then the types of what lookups and earlier parts give are known, and they stay. */
  private make(values: Values): Promise<ort.InferenceSession> {
    const { nodes, reads, makes } = this.stage;
    const { irVersion, opsetImport, functions } = this.model;
    const input = this.given.map((name) => {
      const { type, dims } = values.get(name)!;
      const open = dims.map((_, axis) => `${name}/${axis}`); // any lengths, of as many axes
      return valueInfo(name, open, elementTypes[type]);
    });
    const file = create(ModelProtoSchema, {
      irVersion,
      opsetImport,
      functions,
      graph: create(GraphProtoSchema, {
        name: "between",
        node: nodes,
        input,
        initializer: reads.flatMap((name) => this.constants.get(name) ?? []),
        output: makes.map((name) => create(ValueInfoProtoSchema, { name })),
      }),
    });
    return onnxRuntime().InferenceSession.create(toBinary(ModelProtoSchema, file), {
      intraOpNumThreads: this.options.threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      graphOptimizationLevel: this.options.optimize ? "all" : "disabled",
    });
  }

  /** Adds what this part makes. */
  async run(values: Values): Promise<void> {
    if (this.stage.makes.length === 0) return;
    this.session ??= this.make(values);
    const session = await this.session;
    const results = await session.run(
      Object.fromEntries(this.given.map((name) => [name, values.get(name)!])),
    );
    for (const name of this.stage.makes) values.set(name, results[name]);
  }

  async release(): Promise<void> {
    const session = await this.session?.catch(() => null);
    await session?.release();
  }
}

/** How long each node of the runs so far took. */
class Stopwatch {
  private readonly nodes = new Map<string, NodeProfile>();
  runs = 0;

  async time(node: string, operator: string, replaced: boolean, work: () => Promise<void>): Promise<void> {
    const start = performance.now();
    await work();
    const known = this.nodes.get(node) ?? { node, operator, milliseconds: 0, replaced };
    this.nodes.set(node, { ...known, milliseconds: known.milliseconds + performance.now() - start });
  }

  /** Milliseconds of a run. */
  get means(): NodeProfile[] {
    return [...this.nodes.values()].map((one) => ({ ...one, milliseconds: one.milliseconds / this.runs }));
  }
}

/**
 * A file by the definition: each lookup, and each dense layer in INT8, by the loops of pq/reference.ts, what lies between them by ONNX
 * Runtime. The oracle of
 * every other backend; thousands of times slower than the native one.
 * @param model with all its numbers in it
 */
export async function referenceSession(
  model: ModelProto,
  name: string,
  options: BackendOptions,
): Promise<Running> {
  // ONNX Runtime says whether it is a valid file, and what goes in and comes out.
  const { profilePrefix: _recorded, ...plain } = options;
  const whole = await onnxRuntimeSession(toBinary(ModelProtoSchema, model), name, {
    ...plain,
    optimize: false,
  });
  const { inputs, outputs } = whole;
  await whole.release();
  const constants = new Map(model.graph!.initializer.map((tensor) => [tensor.name, tensor]));
  const functions = new Map(model.functions.map((one) => [`${one.domain}.${one.name}`, one]));
  for (const node of model.graph!.node) {
    const body = node.domain === LUTNN_DOMAIN ? functions.get(`${node.domain}.${node.opType}`) : undefined;
    if (body && !isReferenceNode(node)) checkFunctionNode(name, node, body, constants);
  }
  const stages = stagesAtLookups(name, model).map((stage) => ({
    between: new Between(stage, model, constants, options),
    lookups: stage.lookups.map((node) => readReferenceNode(name, node, constants)),
  }));
  const watch = new Stopwatch();

  async function runOnce(given: readonly TensorData[]): Promise<TensorData[]> {
    const { Tensor } = onnxRuntime();
    const values: Values = new Map(
      inputs.map(({ name: input, type }, i) => {
        const { data, dims } = given[i];
        return [input, new Tensor(type as "float32", data as Float32Array, dims)];
      }),
    );
    for (const [i, { between, lookups }] of stages.entries()) {
      await watch.time(`between lookups, part ${i + 1}`, "ONNX Runtime", false, () => between.run(values));
      for (const lookup of lookups) await watch.time(...labelOf(lookup), () => lookUp(lookup, values));
    }
    watch.runs++;
    return outputs.map(({ name: output }) => {
      const { data, dims } = values.get(output) as ort.TypedTensor<"float32">;
      return { data, dims };
    });
  }

  async function lookUp(lookup: ReferenceNode, values: Values): Promise<void> {
    const { Tensor } = onnxRuntime();
    const { input, output } = lookup.node;
    const { data, dims } = values.get(input[0]) as ort.TypedTensor<"float32"> | ort.TypedTensor<"uint8">;
    const pause = () => new Promise<void>(setImmediate);
    const y = await runReferenceNode(lookup, { data, dims }, pause);
    const type = y.data instanceof Uint8Array ? "uint8" : "float32";
    values.set(output[0], new Tensor(type, y.data, y.dims));
  }

  return {
    inputs,
    outputs,
    run: runOnce,
    endProfiling: () => undefined,
    recorded: () => ({ runs: watch.runs, nodes: watch.means }),
    release: async () => {
      for (const { between } of stages) await between.release();
    },
  };
}

const labelOf = ({ node }: ReferenceNode): [string, string, boolean] => [
  node.name,
  node.opType,
  node.opType.startsWith("Lut"),
];
