export { InferenceSession, type SessionOptions, type TensorData, toChannelsFirst } from "./session";
export {
  type LayerTiming,
  LayerTimings,
  type Spread,
  type TimingOptions,
  type TimingVerdict,
  timeLayers,
  timePaperSizedLayer,
  timingVerdict,
} from "./timeLayers";
export { type LayerVerification, NativeVerification, verifyNative } from "./verifyNative";
