import * as z from "zod";
import { LutnnError } from "../../errors";
import type { BertActivation, BertSizes } from "./bert";

const count = z.number().int().min(1);

/** What of Hugging Face's config.json says how a BERT is built; the rest is about training and is not read. */
const schema = z.object({
  model_type: z.literal("bert"),
  hidden_act: z.enum(["gelu", "gelu_new", "gelu_pytorch_tanh", "relu"]),
  hidden_size: count,
  intermediate_size: count,
  layer_norm_eps: z.number().positive(),
  max_position_embeddings: count,
  num_attention_heads: count,
  num_hidden_layers: count,
  type_vocab_size: count,
  vocab_size: count,
  position_embedding_type: z.literal("absolute").optional(),
  is_decoder: z.literal(false).optional(),
  add_cross_attention: z.literal(false).optional(),
});

const activations: Record<z.infer<typeof schema>["hidden_act"], BertActivation> = {
  gelu: "gelu",
  gelu_new: "gelu_new",
  gelu_pytorch_tanh: "gelu_new",
  relu: "relu",
};

/** The sizes that a config.json says. Throws LutnnError, opened by `file`, on another kind of network. */
export function readBertConfig(text: string, file: string): Required<BertSizes> {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new LutnnError(`${file}: the file must be JSON (${(error as Error).message.slice(0, 200)})`);
  }
  const { data, error } = schema.safeParse(given);
  if (error) {
    const [{ path, message }] = error.issues;
    throw new LutnnError(
      `${file}: the file must be the config.json of a BERT encoder (${path.join(".") || "it"}: ${message}); other kinds of networks come by fromOnnx`,
    );
  }
  return {
    depth: data.num_hidden_layers,
    width: data.hidden_size,
    numHeads: data.num_attention_heads,
    feedForwardWidth: data.intermediate_size,
    vocabularySize: data.vocab_size,
    numPositions: data.max_position_embeddings,
    numSegments: data.type_vocab_size,
    activation: activations[data.hidden_act],
    epsilon: data.layer_norm_eps,
  };
}

/** The same as Hugging Face's libraries read it. */
export const writeBertConfig = (sizes: Required<BertSizes>, outputs?: number): string =>
  `${JSON.stringify(
    {
      architectures: [outputs === undefined ? "BertModel" : "BertForSequenceClassification"],
      model_type: "bert",
      hidden_act: sizes.activation,
      hidden_size: sizes.width,
      intermediate_size: sizes.feedForwardWidth,
      layer_norm_eps: sizes.epsilon,
      max_position_embeddings: sizes.numPositions,
      num_attention_heads: sizes.numHeads,
      num_hidden_layers: sizes.depth,
      position_embedding_type: "absolute",
      type_vocab_size: sizes.numSegments,
      vocab_size: sizes.vocabularySize,
      ...(outputs === undefined
        ? {}
        : { num_labels: outputs, ...(outputs === 1 ? { problem_type: "regression" } : {}) }),
    },
    null,
    2,
  )}\n`;
