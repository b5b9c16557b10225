import type { Data } from "../datasets/from";
import type { FineTuneOptions } from "./fineTune";
import type { CalibrationMethod } from "./methods/index";
import type { LookupSizes } from "./state";

export interface CalibrateOptions {
  /** Default: the profile's. */
  method?: CalibrationMethod;
  /**
   * Only these layers, on the network as it is now: what is replaced and trained stays. None of them may be replaced.
   * Default: all, from the dense network.
   */
  layers?: string[];
  /** Default 0. */
  seed?: number;
  signal?: AbortSignal;
}

export interface ReplaceOptions {
  /** Which of the calibrations. Default: that of the last `calibrate`. */
  method?: CalibrationMethod;
  signal?: AbortSignal;
}

/** `stopAfter` counts the steps of one training, and this makes several. */
export type ConvertAllOptions = Omit<FineTuneOptions, "stopAfter"> & {
  /** Training examples that each calibration takes. Default 4096. */
  calibrationImages?: number;
};

export interface MeasureOptions {
  signal?: AbortSignal;
}

export interface LayerTimesOptions {
  /** Of each layer and network. Default 200. */
  rounds?: number;
  signal?: AbortSignal;
}

/** K, V or both of one layer's lookup; what is left out stays. */
export interface ResizeOptions extends Partial<LookupSizes> {
  /**
   * From which a layer that is replaced learns its lookup anew. Default: what calibrate or fineTune were given last; where
   * that is nothing, the layer becomes dense.
   */
  data?: Data;
  /** Default 0. */
  seed?: number;
  signal?: AbortSignal;
}

/** K and V by layer; layers that are null or not named are dense. */
export type LayerChoices = Readonly<Record<string, LookupSizes | null>>;

export interface ApplyPlanOptions {
  /** Default: the profile's. */
  method?: CalibrationMethod;
  /** Default 0. */
  seed?: number;
  signal?: AbortSignal;
}

export interface ErrorAccumulationOptions {
  /** Of the series in the chart. Default: how the layers were calibrated or trained. */
  name?: string;
  /** Show the chart in the notebook while it is measured. Default false: the result shows itself. */
  live?: boolean;
  signal?: AbortSignal;
}
