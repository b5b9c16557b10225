import { LutnnError } from "../errors";
import { fitTable } from "./fitTable";
import { roundHalfToEven } from "./lookupTable";
import { checkFinite } from "./productQuantizer";
import { learnTree, TREE_LEAVES, TREE_LEVELS, TREE_ROWS_LIMIT, type TreeLevel } from "./splitTree";
import { lookupAdd } from "./tableSums";
import { takingTurns } from "./turns";

/**
 * `true`: the published algorithm. `fast`: the quick variant that the LUT-NN authors measured against ("Maddness" in
 * their tables): median splits of one dimension a level, prototypes by ridge regression alone, float tables.
 */
export type MaddnessForm = "true" | "fast";

export interface MaddnessOptions {
  /** Default "true". */
  form?: MaddnessForm;
  /** The trees are learnt from so many rows, evenly spaced; prototypes from all of them. Default: all. */
  treeRows?: number;
  signal?: AbortSignal;
}

/** How `apply` adds table entries: exactly, or by pairwise rounded-up means in groups of 16, as the published kernels. */
export type MaddnessSum = "exact" | "average";

/** A table of the true form: real value = uint8 / scale + offset of its codebook. */
export interface MaddnessTable {
  /** (C, 16, M): uint8 for form "true", float32 for form "fast" */
  values: Uint8Array | Float32Array;
  /** float32 (C); zeros for form "fast" */
  offsets: Float32Array;
  /** A power of two; 1 for form "fast". */
  scale: number;
  outputs: number;
}

/** 8-bit scale of one level: q = clamp(floor((x − offset) · factor), 0, 255), for inputs and thresholds alike. */
interface LevelScale {
  offset: number;
  factor: number;
}

/** What encodes: the trees of all codebooks as arrays, so that they can be stored. */
export interface MaddnessTrees {
  /** int32 (C, 4): the dimension of each level. */
  dimensions: Int32Array;
  /** float32 (C, 15): thresholds of level 0, 1, 2, 3. */
  thresholds: Float32Array;
  /** float64 (C, 4, 2): offset and factor of each level's 8-bit scale; empty for form "fast". */
  scales: Float64Array;
}

/** Ridge of the published algorithm. */
const ridge = 1;
/** Steps of the ridge regression at most: prototypes are its solution, not an approach to it. */
const prototypeSteps = 200;
/** Codebooks that one chain of pairwise means covers. */
const group = 16;

/**
 * Maddness (Blalock and Guttag, "Multiplying Matrices Without Multiplying", 2021): codes by trees of comparisons,
 * prototypes that span the whole input, tables of uint8. 16 leaves a codebook.
 */
export class Maddness {
  /** The trees as {@link encode} walks them, once it has been asked. */
  private arrays?: MaddnessTrees;

  private constructor(
    readonly form: MaddnessForm,
    readonly numCodebooks: number,
    readonly subvectorLength: number,
    private readonly trees: TreeLevel[][],
    private readonly scales: (LevelScale | null)[][],
    /** float32 (C, 16, D) */
    readonly prototypes: Float32Array,
  ) {}

  /** D = C·V. */
  get inputLength(): number {
    return this.numCodebooks * this.subvectorLength;
  }

  /**
   * Learns trees and prototypes from training rows: x float32 (N, C·V). Yields to the event loop.
   * Throws LutnnError on empty or non-finite data.
   */
  static async fit(
    x: Float32Array,
    shape: { numCodebooks: number; subvectorLength: number },
    options: MaddnessOptions = {},
  ): Promise<Maddness> {
    const { coder, codes } = await Maddness.learnCoder(x, shape, options);
    const start = coder.firstPrototypes(x, codes);
    const prototypes = await coder.fitFrom(start, codes, x, options.signal);
    return new Maddness(
      coder.form,
      coder.numCodebooks,
      coder.subvectorLength,
      coder.trees,
      coder.scales,
      prototypes,
    );
  }

  /**
   * The same for one linear layer, and its table: weight float32 (D, M), target = x · weight float32 (N, M). The regression
   * is linear in what it is fitted to, so the table is what {@link lookupTable} makes of {@link fit}'s prototypes, up to where
   * the regression ends, for M columns instead of D. The coder that comes with it has no prototypes.
   */
  static async fitLayer(
    x: Float32Array,
    shape: { numCodebooks: number; subvectorLength: number },
    { weight, target }: { weight: Float32Array; target: Float32Array },
    options: MaddnessOptions = {},
  ): Promise<{ coder: Maddness; table: MaddnessTable }> {
    const { coder, codes } = await Maddness.learnCoder(x, shape, options);
    const start = coder.timesWeight(coder.firstPrototypes(x, codes), weight);
    const real = await coder.fitFrom(start, codes, target, options.signal);
    return { coder, table: coder.quantized(real) };
  }

  /** Ridge regression of the one-hot codes on a target (N, M), from a start (C, 16, M). */
  private fitFrom(
    start: Float32Array,
    codes: Uint8Array,
    target: Float32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const { numCodebooks, subvectorLength } = this;
    const sizes = { numCodebooks, numCentroids: TREE_LEAVES, subvectorLength };
    // fitTable's λ is relative to the mean count of a code.
    const lambda = (ridge * TREE_LEAVES * numCodebooks) / codes.length;
    return fitTable(codes, target, start, sizes, { lambda, signal, maxIterations: prototypeSteps });
  }

  /** What the regression starts from, float32 (C, 16, D): means of the leaves, for form "fast" nothing. */
  private firstPrototypes(x: Float32Array, codes: Uint8Array): Float32Array {
    const { form, numCodebooks, subvectorLength, inputLength } = this;
    return form === "true"
      ? bucketMeans(x, codes, numCodebooks, subvectorLength)
      : new Float32Array(numCodebooks * TREE_LEAVES * inputLength);
  }

  /** The trees of all codebooks, without prototypes, and the codes of the rows that they were learnt from. */
  private static async learnCoder(
    x: Float32Array,
    shape: { numCodebooks: number; subvectorLength: number },
    options: MaddnessOptions,
  ): Promise<{ coder: Maddness; codes: Uint8Array }> {
    const { form = "true", treeRows = Number.POSITIVE_INFINITY, signal } = options;
    if (form !== "true" && form !== "fast")
      throw new LutnnError(`Maddness.fit: form must be "true" or "fast" (got ${JSON.stringify(form)})`);
    const { numCodebooks, subvectorLength } = shape;
    const inputLength = numCodebooks * subvectorLength;
    if (x.length === 0 || x.length % inputLength !== 0)
      throw new LutnnError(
        `Maddness.fit: data must be a non-empty matrix of C·V = ${inputLength} columns (got ${x.length} numbers)`,
      );
    checkFinite("Maddness.fit", x);
    const rows = x.length / inputLength;
    const seen = Math.min(rows, Math.floor(treeRows));
    if (!(seen >= 1 && seen <= TREE_ROWS_LIMIT))
      throw new LutnnError(
        `Maddness.fit: treeRows must be from 1 to ${TREE_ROWS_LIMIT} (got ${seen} of ${rows} rows)`,
      );
    const pause = takingTurns(signal);
    const trees: TreeLevel[][] = [];
    const scales: (LevelScale | null)[][] = [];
    for (let c = 0; c < numCodebooks; c++) {
      const columns = { x, stride: inputLength, from: c * subvectorLength, length: subvectorLength };
      const tree = learnTree(columns, rows, seen, form === "true");
      trees.push(tree);
      scales.push(
        tree.map((level) =>
          form === "true" ? levelScale(x, inputLength, columns.from + level.dimension) : null,
        ),
      );
      await pause();
    }
    const coder = new Maddness(
      form,
      numCodebooks,
      subvectorLength,
      trees.map(quantizeWith(scales)),
      scales,
      new Float32Array(),
    );
    return { coder, codes: coder.encode(x) };
  }

  /** The trees as arrays; {@link fromTrees} makes a coder of them again. */
  get treeArrays(): MaddnessTrees {
    const levels = this.trees.flat();
    return {
      dimensions: Int32Array.from(levels, ({ dimension }) => dimension),
      thresholds: Float32Array.from(levels.flatMap(({ thresholds }) => [...thresholds])),
      scales: Float64Array.from(
        this.scales.flat().flatMap((scale) => (scale ? [scale.offset, scale.factor] : [])),
      ),
    };
  }

  /** A coder without prototypes, for tables that exist already. */
  static fromTrees(
    form: MaddnessForm,
    { numCodebooks, subvectorLength }: { numCodebooks: number; subvectorLength: number },
    { dimensions, thresholds, scales }: MaddnessTrees,
  ): Maddness {
    const levels = Math.log2(TREE_LEAVES);
    const nodes = TREE_LEAVES - 1;
    const perCodebook = <T>(make: (c: number, level: number) => T): T[][] =>
      Array.from({ length: numCodebooks }, (_, c) =>
        Array.from({ length: levels }, (_, level) => make(c, level)),
      );
    const trees = perCodebook((c, level) => {
      const from = c * nodes + 2 ** level - 1;
      return {
        dimension: dimensions[c * levels + level],
        thresholds: thresholds.slice(from, from + 2 ** level),
      };
    });
    const levelScales = perCodebook((c, level) => {
      if (form === "fast") return null;
      const at = 2 * (c * levels + level);
      return { offset: scales[at], factor: scales[at + 1] };
    });
    return new Maddness(form, numCodebooks, subvectorLength, trees, levelScales, new Float32Array());
  }

  /** x float32 (N, C·V) → leaves uint8 (N, C). */
  encode(x: Float32Array): Uint8Array {
    if (x.length === 0 || x.length % this.inputLength !== 0)
      throw new LutnnError(
        `Maddness.encode: the array's length must be a positive multiple of ${this.inputLength} (got ${x.length})`,
      );
    const { form, numCodebooks, subvectorLength } = this;
    const codes = new Uint8Array((x.length / this.inputLength) * numCodebooks);
    this.arrays ??= this.treeArrays;
    const { dimensions, thresholds, scales } = this.arrays;
    // The thresholds of form "true" are quantised already; what is compared with them is so here, level by level.
    const isQuantized = form === "true";
    for (let i = 0, c = 0; i < codes.length; i++, c = c + 1 < numCodebooks ? c + 1 : 0) {
      const from = i * subvectorLength;
      let node = 0;
      for (let level = 0; level < TREE_LEVELS; level++) {
        const at = c * TREE_LEVELS + level;
        let value = x[from + dimensions[at]];
        if (isQuantized) value = quantize(value, scales[2 * at], scales[2 * at + 1]);
        const threshold = thresholds[c * (TREE_LEAVES - 1) + (1 << level) - 1 + node];
        node = 2 * node + (value > threshold ? 1 : 0);
      }
      codes[i] = node;
    }
    return codes;
  }

  /** The table of a linear layer: weight float32 (D, M) → prototype · weight, quantised for form "true". */
  lookupTable(weight: Float32Array): MaddnessTable {
    const { inputLength } = this;
    if (weight.length === 0 || weight.length % inputLength !== 0)
      throw new LutnnError(
        `Maddness.lookupTable: the weight must have ${inputLength} rows (got ${weight.length} numbers)`,
      );
    if (this.prototypes.length === 0)
      throw new LutnnError(
        "Maddness.lookupTable: a coder made of trees alone must keep the table that it came with (it has no prototypes); fit it on data",
      );
    return this.quantized(this.timesWeight(this.prototypes, weight));
  }

  /** Prototypes float32 (C, 16, D) times a weight float32 (D, M): float32 (C, 16, M). */
  private timesWeight(prototypes: Float32Array, weight: Float32Array): Float32Array {
    const { inputLength, numCodebooks } = this;
    const outputs = weight.length / inputLength;
    const real = new Float32Array(numCodebooks * TREE_LEAVES * outputs);
    const sums = new Float64Array(outputs);
    for (let k = 0; k < numCodebooks * TREE_LEAVES; k++) {
      sums.fill(0);
      for (let d = 0; d < inputLength; d++) {
        const p = prototypes[k * inputLength + d];
        if (p !== 0) for (let m = 0; m < outputs; m++) sums[m] += p * weight[d * outputs + m];
      }
      real.set(sums, k * outputs);
    }
    return real;
  }

  /** A real table float32 (C, 16, M) as its form has it. */
  private quantized(real: Float32Array): MaddnessTable {
    const { form, numCodebooks } = this;
    const outputs = real.length / (numCodebooks * TREE_LEAVES);
    return form === "true"
      ? quantizeTable(real, numCodebooks, outputs)
      : { values: real, offsets: new Float32Array(numCodebooks), scale: 1, outputs };
  }

  /** x (N, D) → approximate x·W + bias, float32 (N, M). */
  apply(
    x: Float32Array,
    table: MaddnessTable,
    options: { bias?: Float32Array; sum?: MaddnessSum } = {},
  ): Float32Array {
    return this.accumulate(this.encode(x), table, options);
  }

  /**
   * leaves uint8 (N, C) → Σ_c table[c][leaf] + bias, float32 (N, M). Exact sums are in float32, codebooks rising: of entries of 8
   * bits they are exact, as up to 65,793 codebooks' are whole numbers below 2²⁴. Averages need a table of the true form.
   */
  accumulate(
    codes: Uint8Array,
    { values, offsets, scale, outputs }: MaddnessTable,
    options: { bias?: Float32Array; sum?: MaddnessSum } = {},
  ): Float32Array {
    const { bias, sum = "exact" } = options;
    if (sum === "average" && this.form === "fast")
      throw new LutnnError(
        'Maddness: averaged sums need the uint8 tables of form "true" (this is form "fast")',
      );
    const { numCodebooks } = this;
    const rows = codes.length / numCodebooks;
    const offset = offsets.reduce((a, b) => a + b, 0);
    const y = new Float32Array(rows * outputs);
    if (sum === "exact") {
      const shape = { codes, rows, numCodebooks, numCentroids: TREE_LEAVES, outputs };
      lookupAdd(shape, values instanceof Float32Array ? values : Float32Array.from(values), y);
      for (let n = 0; n < y.length; n += outputs)
        for (let m = 0; m < outputs; m++) y[n + m] = y[n + m] / scale + offset + (bias ? bias[m] : 0);
      return y;
    }
    const averaged = numCodebooks - (numCodebooks % group);
    // Every rounding up adds ¼ on average to what it stands for: log2(16) levels over all averaged codebooks.
    const correction = (averaged / 4) * Math.log2(group);
    const entries = new Float64Array(numCodebooks);
    for (let n = 0; n < rows; n++)
      for (let m = 0; m < outputs; m++) {
        for (let c = 0; c < numCodebooks; c++)
          entries[c] = values[(c * TREE_LEAVES + codes[n * numCodebooks + c]) * outputs + m];
        let total = -correction;
        for (let c = 0; c < averaged; c += group) total += group * pairwiseMean(entries, c);
        for (let c = averaged; c < numCodebooks; c++) total += entries[c];
        y[n * outputs + m] = total / scale + offset + (bias ? bias[m] : 0);
      }
    return y;
  }
}

/** Rounded-up means of 16 entries, pair by pair (the instruction pavgb). */
function pairwiseMean(entries: Float64Array, from: number): number {
  const level = Array.from(entries.subarray(from, from + group));
  while (level.length > 1)
    for (let i = 0; i < level.length; i++) level.splice(i, 2, Math.floor((level[i] + level[i + 1] + 1) / 2));
  return level[0];
}

const quantize = (value: number, offset: number, factor: number): number =>
  Math.max(0, Math.min(255, Math.floor((value - offset) * factor)));

/** The range of a column as 256 steps. */
function levelScale(x: Float32Array, stride: number, column: number): LevelScale {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = column; i < x.length; i += stride) {
    low = Math.min(low, x[i]);
    high = Math.max(high, x[i]);
  }
  return { offset: low, factor: high > low ? 255 / (high - low) : 0 };
}

/** Trees whose thresholds are in steps of their level's scale. */
const quantizeWith =
  (scales: (LevelScale | null)[][]) =>
  (tree: TreeLevel[], c: number): TreeLevel[] =>
    tree.map((level, i) => {
      const scale = scales[c][i];
      if (!scale) return level;
      return {
        ...level,
        thresholds: level.thresholds.map((threshold) => quantize(threshold, scale.offset, scale.factor)),
      };
    });

/** Mean of the sub-vectors in each leaf, inside its own codebook's columns: float32 (C, 16, D); 0 elsewhere. */
function bucketMeans(x: Float32Array, codes: Uint8Array, numCodebooks: number, length: number): Float32Array {
  const inputLength = numCodebooks * length;
  const sums = new Float64Array(numCodebooks * TREE_LEAVES * length);
  const counts = new Uint32Array(numCodebooks * TREE_LEAVES);
  codes.forEach((code, i) => {
    const leaf = (i % numCodebooks) * TREE_LEAVES + code;
    counts[leaf]++;
    for (let v = 0; v < length; v++) sums[leaf * length + v] += x[i * length + v];
  });
  const means = new Float32Array(numCodebooks * TREE_LEAVES * inputLength);
  for (let leaf = 0; leaf < counts.length; leaf++)
    if (counts[leaf] > 0)
      for (let v = 0; v < length; v++)
        means[leaf * inputLength + Math.floor(leaf / TREE_LEAVES) * length + v] =
          sums[leaf * length + v] / counts[leaf];
  return means;
}

/** uint8 with an offset per codebook and one power of two as scale, so that the widest codebook fills 8 bits. */
function quantizeTable(real: Float32Array, numCodebooks: number, outputs: number): MaddnessTable {
  const perCodebook = TREE_LEAVES * outputs;
  const offsets = new Float32Array(numCodebooks);
  let widest = 0;
  for (let c = 0; c < numCodebooks; c++) {
    const own = real.subarray(c * perCodebook, (c + 1) * perCodebook);
    const low = own.reduce((a, b) => Math.min(a, b));
    offsets[c] = low;
    widest = Math.max(widest, own.reduce((a, b) => Math.max(a, b)) - low);
  }
  const scale = widest > 0 ? 2 ** Math.floor(Math.log2(255 / widest)) : 1;
  const values = Uint8Array.from(real, (value, i) =>
    Math.max(0, Math.min(255, roundHalfToEven((value - offsets[Math.floor(i / perCodebook)]) * scale))),
  );
  return { values, offsets, scale, outputs };
}

export { TREE_LEAVES };
