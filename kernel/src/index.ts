/**
 * LUT-NN in TypeScript: learn centroids, replace a network's layers by table lookups, watch the error accumulate,
 * train it away, and export the result as one ONNX file.
 */

import "./host/device";

/** The tf.js that this library runs on, for networks and tensors of one's own. */
export * as tf from "@tensorflow/tfjs-node";
export * as charts from "./charts/index";
export * as pq from "./compute/index";
export type { PendingCommand } from "./conversion/commandQueue";
export type { Comparison, LayerDifference } from "./conversion/compare";
export { Conversion } from "./conversion/conversion";
export { type ConvertOptions, convert } from "./conversion/convert";
export type { ConversionChange } from "./conversion/core";
export { count } from "./conversion/count";
export { type ExportOnnxOptions, exportOnnx } from "./conversion/exportNetwork";
export type { Figures, LayerFigures } from "./conversion/figures";
export { FileInfo, fileInfo, type LookupForm, type SavedLayer } from "./conversion/fileInfo";
export type { FineTuneOptions } from "./conversion/fineTune";
export type { HiddenStates } from "./conversion/hiddenStates";
export type { HistoryEntry, Measurement, StateTable } from "./conversion/history";
export type { KnownData } from "./conversion/knownData";
export { LayerMeasurement } from "./conversion/layerMeasurement";
export type { LayerInfo, LayerState, LayerTable } from "./conversion/layerTable";
export type { CalibrationMethod } from "./conversion/methods/index";
export { type OpenOptions, openConversion } from "./conversion/openConversion";
export type {
  ApplyPlanOptions,
  CalibrateOptions,
  ConvertAllOptions,
  ErrorAccumulationOptions,
  LayerChoices,
  LayerTimesOptions,
  MeasureOptions,
  ReplaceOptions,
  ResizeOptions,
} from "./conversion/options";
export type { Outcome } from "./conversion/outcome";
export { type PlanOptions, plan } from "./conversion/plan/makePlan";
export { type Budget, Plan, type PlanPoint } from "./conversion/plan/plan";
export { type FineTuneSettings, type Profile, profiles, type TemperatureMode } from "./conversion/profile";
export type { VerbRecord } from "./conversion/record";
export type { RemainderReport } from "./conversion/remainder/remainderReport";
export type { RemainderForm, SaveOptions } from "./conversion/saveFile";
export type { ConversionState, LookupSizes } from "./conversion/state";
export * as datasets from "./datasets/index";
export { LutnnError } from "./errors";
export { clearOutput, type Display, display } from "./host/display";
export type { Displayable, MimeBundle, NotebookHost } from "./host/host";
export { type InputOptions, input } from "./host/input";
export { Progress, type ProgressFields } from "./host/progress";
export { type ProgressOptions, progress } from "./host/progressLoop";
export { type FromOnnxOptions, fromOnnx } from "./inference/fromOnnx";
export * as inference from "./inference/index";
export { InferenceSession } from "./inference/session";
export * as layers from "./layers/index";
export { LookupLayer } from "./layers/lookupLayer";
export { LutConv1D } from "./layers/lutConv1d";
export { LutConv2D } from "./layers/lutConv2d";
export { LutDense } from "./layers/lutDense";
export { type FromLayersModelOptions, fromLayersModel } from "./models/fromLayersModel";
export * as models from "./models/index";
export { type PanelOptions, panel } from "./panel/panel";
export * as paper from "./paper/index";
export type { LayerDetail } from "./report/conversionMessages";
export * from "./report/counting";
export * from "./report/errorAccumulation";
export { parseErrorAccumulation } from "./report/readErrorAccumulation";
export type { TaskName } from "./tasks/derive";
export type { Score } from "./tasks/score";
export type { Metric, Task } from "./tasks/task";
export { batchNormWarning } from "./training/batchNormWarning";
export { type EvaluateOptions, type Evaluation, evaluate } from "./training/evaluate";
export { fit } from "./training/fit";
export { type EpochFigures, TrainingHistory } from "./training/history";
export type { MetricValue } from "./training/metricValue";
export type { CheckpointOptions, EarlyStopping, TrainingOptions } from "./training/options";
export { type ReestimateOptions, reestimateBatchNorms } from "./training/reestimateBatchNorms";
export { taskOf } from "./training/taskOf";
