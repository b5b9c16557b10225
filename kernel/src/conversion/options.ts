import type { FineTuneOptions } from "./fineTune";
import type { CalibrationMethod } from "./methods/index";

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

export type ConvertAllOptions = FineTuneOptions & {
  /** Training examples that each calibration takes. Default 4096. */
  calibrationImages?: number;
};

export interface ErrorAccumulationOptions {
  /** Of the series in the chart. Default: how the layers were calibrated or trained. */
  name?: string;
  /** Show the chart in the notebook while it is measured. Default false: the result shows itself. */
  live?: boolean;
  signal?: AbortSignal;
}
