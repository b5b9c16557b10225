import type { SoftDistance } from "../compute/softPq";
import { LutnnError } from "../errors";
import type { CodeKind } from "../pq/integerCodes";
import type { TableBits, TableScaleMode } from "../pq/lookupTable";
import type { CalibrationMethod } from "./methods/index";

/**
 * The temperature of the soft assignment while fine-tuning: `learned` per layer, `annealed` geometrically from 1 to 0.1
 * over the run, step by step, or fixed.
 */
export type TemperatureMode = "learned" | "annealed" | { fixed: number };

/** How a converted network is trained. */
export interface FineTuneSettings {
  learningRate: number;
  /** Of weights that are no lookup's: norms, and layers that stay dense; null: the same. */
  otherLearningRate: number | null;
  temperature: TemperatureMode;
  /** Of θ, the logit of a learned inverse temperature. */
  temperatureLearningRate: number;
  /**
   * Share of the soft gradient (through the softmax over distances) in what reaches a layer's input; the rest is
   * straight-through, as if the layer were still its dense weight. 1 is the paper.
   */
  softShare: number;
  /**
   * Weight β of ‖x − sg(P)‖², which keeps a layer's input near its centroids, and γ of ‖sg(x) − P‖², which moves the
   * centroids to the inputs; both per layer, relative to the input's variance. Needed where the gradient is not soft.
   */
  commitment: number;
  centroidPull: number;
  /** Weight of the distillation from the dense network; 0 trains on the labels alone. */
  distillation: number;
  distillationTemperature: number;
}

/** Every choice in which the two profiles differ; a profile of one's own is a copy with some changed. */
export interface Profile {
  name: string;
  distance: SoftDistance;
  tableScale: TableScaleMode;
  /** Of a table entry, in training and inference; a network with more than 8 cannot be saved. */
  tableBits: TableBits;
  /**
   * In which numbers codes are defined: `float32` as published, or `int8`, the same on every runtime and instruction set and
   * faster to find; training goes through the same codes that inference has.
   */
  codes: CodeKind;
  /**
   * Layers that read the same value in the same rows and sub-vectors (query, key and value of an attention, convolutions of one
   * window) share one quantiser: learnt once, trained as one variable, and once in the file. Where it is false they begin with
   * the same centroids, and each trains its own.
   */
  sharedCodebooks: boolean;
  calibrate: {
    /** `kmeans` on the dense network's activations, or layer by layer `leastSquares` on converted ones; others to compare with. */
    method: CalibrationMethod;
    /** Estimate batch norms anew behind layers that were fitted by least squares. */
    batchNorm: boolean;
    /**
     * Ridge of the least-squares fits towards the table of the dense weight, in mean counts of a code; `heldOut` chooses it
     * for each dense layer by the error on a fifth of the rows; convolutions, which have rows enough, take 1e-3.
     */
    ridge: number | "heldOut";
    /** Gradient steps per layer on its own output, between two least-squares fits. */
    refineSteps: number;
  };
  fineTune: FineTuneSettings;
  /**
   * Gradual replacement, by {@link Conversion.convertAll}: groups of layers, from the input on, that are calibrated,
   * replaced and trained one after the other. 1 replaces all at once.
   */
  stages: number;
}

const paper: Profile = {
  name: "paper",
  distance: "l2",
  tableScale: "layer",
  tableBits: 8,
  codes: "float32",
  sharedCodebooks: false,
  calibrate: { method: "kmeans", batchNorm: false, ridge: 1e-3, refineSteps: 0 },
  fineTune: {
    learningRate: 1e-3,
    otherLearningRate: null,
    temperature: "learned",
    temperatureLearningRate: 0.1,
    softShare: 1,
    commitment: 0,
    centroidPull: 0,
    distillation: 0,
    distillationTemperature: 4,
  },
  stages: 1,
};

const plus: Profile = {
  name: "plus",
  distance: "l2",
  tableScale: "output",
  tableBits: 8,
  codes: "int8",
  sharedCodebooks: false,
  calibrate: { method: "leastSquares", batchNorm: true, ridge: "heldOut", refineSteps: 0 },
  fineTune: { ...paper.fineTune, learningRate: 3e-3, softShare: 0.5, distillation: 1 },
  stages: 1,
};

/** `paper`: as published and released. `plus`: what measured better on small real data. */
export const profiles: { readonly paper: Profile; readonly plus: Profile } = { paper, plus };

/** A profile by its name, or a profile itself. Throws LutnnError on another name. */
export function profileOf(profile: "paper" | "plus" | Profile = "plus"): Profile {
  if (typeof profile === "object") return profile;
  if (profile in profiles) return profiles[profile];
  throw new LutnnError(
    `convert: profile must be ${Object.keys(profiles).join(" or ")}, or a profile object (got ${JSON.stringify(profile)})`,
  );
}
