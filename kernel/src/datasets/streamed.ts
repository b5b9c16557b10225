import { createHash } from "node:crypto";
import { LutnnError } from "../errors";
import { displaySymbol, type MimeBundle } from "../host/host";
import { seededRandom } from "../pq/random";
import type { TargetSpec } from "../tasks/target";
import { batchOf, type Example, type PlacedExample } from "./example";
import { type ExampleReader, IndexedReader, type OpenStream, SequentialReader } from "./exampleReader";
import {
  type Batch,
  type BatchOptions,
  checkBatchSize,
  disposeBatch,
  type ExampleSource,
  type InputSpec,
} from "./examples";
import { type ChangeInputs, type MapOptions, MappedExamples } from "./mapped";
import { Selections } from "./selections";
import { showExamples } from "./show";

/** What must be known of examples that are read as they are asked for. */
export interface StreamInfo {
  name: string;
  /** Examples; of a longer stream the first ones are read. */
  size: number;
  inputs: readonly InputSpec[];
  target: TargetSpec;
  /** Stands for the content, for example the file's checksum: a run that is resumed must find the same. */
  version?: string;
  /** The class of each example, where it is known without reading: (size). */
  labels?: ArrayLike<number>;
}

/** Examples that a function reads one by one, by index: shuffled wholly, nothing is kept. */
export const indexed = (
  info: StreamInfo & { read: (index: number) => Example | Promise<Example> },
): StreamedExamples => new StreamedExamples(info, new IndexedReader(info.read));

/**
 * Examples that can only be read from the first on: `read` opens the stream anew for each pass. `buffer` (default 1,024)
 * is how many are held at most, so that it is also how far shuffling reaches.
 */
export function streamed(info: StreamInfo & { read: OpenStream; buffer?: number }): StreamedExamples {
  const { buffer = 1024 } = info;
  if (!Number.isInteger(buffer) || buffer < 1)
    throw new LutnnError(`${info.name}: buffer must be a positive integer (got ${buffer})`);
  return new StreamedExamples(info, new SequentialReader(info.name, info.read, buffer));
}

/** Examples that are read as they are asked for: memory does not grow with their number. */
export class StreamedExamples extends Selections<StreamedExamples> implements ExampleSource {
  readonly name: string;
  readonly inputs: readonly InputSpec[];
  readonly target: TargetSpec;
  private readonly indices: Uint32Array;

  constructor(
    private readonly info: StreamInfo,
    private readonly reader: ExampleReader,
    indices?: Uint32Array,
  ) {
    super();
    const { name, size, inputs, target } = info;
    if (!Number.isInteger(size) || size < 1)
      throw new LutnnError(`${name}: size must be a positive integer (got ${size})`);
    this.name = name;
    this.inputs = inputs;
    this.target = target;
    this.indices = indices ?? Uint32Array.from({ length: size }, (_, index) => index);
  }

  get size(): number {
    return this.indices.length;
  }

  protected override classes(): ArrayLike<number> | null {
    const { labels } = this.info;
    return labels ? this.indices.map((index) => labels[index]) : null;
  }

  select(indices: ArrayLike<number>): StreamedExamples {
    this.checkIndices(indices);
    const chosen = Uint32Array.from(indices, (index) => this.indices[index]);
    return new StreamedExamples(this.info, this.reader, chosen);
  }

  /** The same with inputs changed as they are read; see {@link MappedExamples}. */
  map(change: ChangeInputs, options?: MapOptions): MappedExamples {
    return new MappedExamples(this, change, options);
  }

  async *batches(
    size: number,
    { seed, first = 0, signal, inputsOnly }: BatchOptions = {},
  ): AsyncGenerator<Batch> {
    checkBatchSize(size);
    const random = seed === undefined ? null : seededRandom(seed, this.name, "shuffle");
    let gathered: PlacedExample[] = [];
    const made = () => batchOf(this.name, this.inputs, this.target, gathered, inputsOnly);
    for await (const placed of this.reader.examples(this.indices, random, first * size, signal)) {
      gathered.push(placed);
      if (gathered.length < size) continue;
      yield made();
      gathered = [];
    }
    if (gathered.length > 0) yield made();
  }

  /** Values are checked as they are read. */
  async checkValues(): Promise<void> {}

  /** Of what is known without reading all: names, shapes, version, the choice of examples and the first of them. */
  async fingerprint(): Promise<string> {
    const { name, size, version = "" } = this.info;
    const hash = createHash("sha256")
      .update(JSON.stringify([name, size, version, this.inputs, this.target]))
      .update(new Uint8Array(this.indices.buffer, this.indices.byteOffset, this.indices.byteLength));
    for await (const batch of this.batches(Math.min(8, this.size))) {
      for (const tensor of [...Object.values(batch.inputs), batch.targets])
        hash.update(tensor.dataSync().join());
      disposeBatch(batch);
      break;
    }
    return hash.digest("hex").slice(0, 16);
  }

  [displaySymbol](): Promise<MimeBundle> {
    return showExamples(this);
  }
}
