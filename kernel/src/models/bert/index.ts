export {
  type BertActivation,
  type BertHead,
  type BertOptions,
  type BertSizes,
  bert,
  bertLayers,
} from "./bert";
export { type BertSource, type LoadBertOptions, type LoadedBert, loadBert } from "./loadBert";
export { saveBert } from "./saveBert";
