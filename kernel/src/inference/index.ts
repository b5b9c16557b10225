export type { BackendName } from "./backend";
export { type CheckOptions, checkFile, type FileCheck } from "./checkFile";
export type { SessionEvaluateOptions } from "./evaluateSession";
export {
  type LayerTiming,
  LayerTimings,
  type Spread,
  type TimingVerdict,
  timingVerdict,
} from "./layerTimings";
export { toChannelsFirst } from "./layout";
export { nativeSessionStatus } from "./nativeSession";
export { NativeVerification } from "./nativeVerification";
export { InferenceSession, type SessionOptions } from "./session";
export { type NodeProfile, SessionProfile } from "./sessionProfile";
export type { ArrayOf, ElementType, FileValue, TensorData } from "./tensorData";
export type { TimingOptions } from "./timeLayer";
export { timeLayers, timePaperSizedLayer } from "./timeLayers";
export type { LayerVerification } from "./verifyCall";
export { type VerifyOptions, verifyNative } from "./verifyNative";
