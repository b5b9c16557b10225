export {
  type BertActivation,
  type BertHead,
  type BertOptions,
  type BertSizes,
  bert,
  bertLayers,
} from "./bert";
export { type BertSource, type LoadBertOptions, type LoadedBert, loadBert } from "./loadBert";
export { type MiniLmOptions, miniLm } from "./miniLm";
export { saveBert } from "./saveBert";
