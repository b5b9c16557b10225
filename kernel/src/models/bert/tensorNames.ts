/** One weight of a BERT network and the tensor of a Hugging Face file that holds it. */
export interface TensorPlace {
  /** Without the prefix `bert.`. */
  tensor: string;
  /** What checkpoints that were converted from TensorFlow call it. */
  alias?: string;
  layer: string;
  /** Which of the layer's weights. */
  index: number;
  /** The file holds (outputs, inputs), a dense layer (inputs, outputs). */
  isTransposed: boolean;
}

/** Dense layers and layer norms of an encoder layer: our name and the file's. */
const encoderNames = [
  ["attention/query", "attention.self.query"],
  ["attention/key", "attention.self.key"],
  ["attention/value", "attention.self.value"],
  ["attention/output", "attention.output.dense"],
  ["attention/norm", "attention.output.LayerNorm"],
  ["feedForward1", "intermediate.dense"],
  ["feedForward2", "output.dense"],
  ["norm", "output.LayerNorm"],
] as const;

const table = (layer: string, tensor: string): TensorPlace => ({
  tensor: `embeddings.${tensor}.weight`,
  layer,
  index: 0,
  isTransposed: false,
});

/** Weight and bias of a dense layer, or γ and β of a layer norm. */
function pair(layer: string, tensor: string): TensorPlace[] {
  const isNorm = tensor.endsWith("LayerNorm");
  const alias = (name: string) => (isNorm ? { alias: `${tensor}.${name}` } : {});
  return [
    { tensor: `${tensor}.weight`, ...alias("gamma"), layer, index: 0, isTransposed: !isNorm },
    { tensor: `${tensor}.bias`, ...alias("beta"), layer, index: 1, isTransposed: false },
  ];
}

/** The layer that classifies, in networks that have it. */
export const headLayer = "classifier";

/** Every weight of a network of that depth, in the order of Hugging Face's files. */
export const tensorPlaces = (depth: number, hasPooler: boolean, hasClassifier: boolean): TensorPlace[] => [
  table("embeddings/tokens", "word_embeddings"),
  table("embeddings/positions", "position_embeddings"),
  table("embeddings/segments", "token_type_embeddings"),
  ...pair("embeddings/norm", "embeddings.LayerNorm"),
  ...Array.from({ length: depth }, (_, i) =>
    encoderNames.flatMap(([layer, tensor]) => pair(`encoder${i}/${layer}`, `encoder.layer.${i}.${tensor}`)),
  ).flat(),
  ...(hasPooler ? pair("pooler", "pooler.dense") : []),
  ...(hasClassifier ? pair(headLayer, "classifier") : []),
];

/** What files hold beside a network's weights and may be left aside: positions by their number, and heads of other tasks. */
export const isLeftAside = (tensor: string): boolean =>
  tensor === "embeddings.position_ids" || /^(cls|pooler\.dense|classifier|qa_outputs)\./.test(tensor);
