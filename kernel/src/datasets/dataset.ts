import { LutnnError } from "../errors";
import { displaySymbol, type MimeBundle } from "../host/host";
import type { TargetSpec } from "../tasks/target";
import { ArrayExamples } from "./arrayExamples";
import type { Batch, BatchOptions, CheckOptions, ExampleSource, InputSpec } from "./examples";
import { type ChangeInputs, type MapOptions, MappedExamples } from "./mapped";
import { Selections } from "./selections";

/** Examples of one float32 input that have a class; images are channels last. */
export interface DatasetArrays {
  name: string;
  /** Of one example: [height, width, channels] for an image, [4] for four numbers. */
  inputShape: readonly number[];
  numClasses: number;
  /** float32 (size, …inputShape) */
  images: Float32Array;
  /** int32 (size), 0 … numClasses − 1 */
  labels: Int32Array;
}

/** Images, or other arrays of one shape, each with its class, in memory: {@link ArrayExamples} under familiar names. */
export class Dataset extends Selections<Dataset> implements ExampleSource {
  readonly name: string;
  readonly inputShape: number[];
  readonly numClasses: number;
  readonly images: Float32Array;
  readonly labels: Int32Array;
  private readonly examples: ArrayExamples;

  constructor({ name, inputShape, numClasses, images, labels }: DatasetArrays) {
    super();
    if (!Number.isInteger(numClasses) || numClasses < 1)
      throw new LutnnError(`${name}: numClasses must be a positive integer (got ${numClasses})`);
    this.examples = new ArrayExamples({
      name,
      inputs: { image: { shape: inputShape, values: images } },
      target: { kind: "class", classes: numClasses },
      targets: labels,
    });
    this.name = name;
    this.inputShape = [...inputShape];
    this.numClasses = numClasses;
    this.images = images;
    this.labels = labels;
  }

  get size(): number {
    return this.labels.length;
  }

  get inputs(): readonly InputSpec[] {
    return this.examples.inputs;
  }

  get target(): TargetSpec {
    return this.examples.target;
  }

  protected override classes(): ArrayLike<number> {
    return this.labels;
  }

  select(indices: ArrayLike<number>): Dataset {
    const { inputs, targets } = this.examples.select(indices).arrays;
    const images = inputs.image.values as Float32Array;
    return new Dataset({ ...this, images, labels: targets as Int32Array });
  }

  /** The same with inputs changed as they are read; see {@link MappedExamples}. */
  map(change: ChangeInputs, options?: MapOptions): MappedExamples {
    return new MappedExamples(this, change, options);
  }

  batches(size: number, options?: BatchOptions): AsyncIterable<Batch> {
    return this.examples.batches(size, options);
  }

  checkValues(what: string, signal?: AbortSignal, options?: CheckOptions): Promise<void> {
    return this.examples.checkValues(what, signal, options);
  }

  fingerprint(): Promise<string> {
    return this.examples.fingerprint();
  }

  [displaySymbol](): Promise<MimeBundle> {
    return this.examples[displaySymbol]();
  }
}
