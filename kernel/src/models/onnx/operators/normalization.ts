import * as tf from "@tensorflow/tfjs-node";
import { fastBatchNorm } from "../../../layers/fastBatchNorm";
import { fastLayerNorm } from "../../../layers/fastLayerNorm";
import { Affine } from "../../../layers/kinds/affine";
import { Elementwise } from "../../../layers/kinds/elementwise";
import { Reduce } from "../../../layers/kinds/reduce";
import { type Draft, vectorOf, weightTensor } from "../draft";
import type { Operation } from "../operation";
import { type Constant, fromFront, product, type Traced } from "../value";
import { merged, negative, reciprocal } from "./arithmetic";
import type { Build, Builders } from "./builder";

const batchNormalization: Build = (draft, operation) => {
  const given = operation.traced(0);
  const [scale, offset, mean, variance] = ["scale", "B", "mean", "variance"].map((what, i) =>
    operation.constant(i + 1, what),
  );
  const outputs = operation.node.output.filter((name) => name !== "").length;
  if (operation.int("training_mode", 0) !== 0 || (outputs > 1 && operation.opset >= 14))
    operation.refuse(
      "it must be in inference, with one output",
      `training_mode ${operation.int("training_mode", 0)}`,
      "export the network in evaluation mode",
    );
  if (operation.int("spatial", 1) === 0)
    operation.refuse("each channel must have one mean, spatial 1", 0, "export the network with spatial 1");
  const value = given.order.length > 2 ? draft.image(operation, given) : given;
  const axis = value.order[1];
  const tensor = draft.apply(
    operation,
    value.tensor,
    (name) =>
      fastBatchNorm(
        tf.layers.batchNormalization({
          axis,
          epsilon: operation.float("epsilon", 1e-5),
          momentum: operation.float("momentum", 0.9),
          name,
        }),
      ),
    { weights: () => [scale, offset, mean, variance].map(vectorOf), weightName: scale.name },
  );
  return { ...value, tensor };
};

/** Some axes of the file as the tensor's last, in the file's order. */
function lastAxes(draft: Draft, operation: Operation, x: Traced, from: number): Traced {
  const plain = draft.plain(operation, x);
  if (plain.order[0] !== 0 || from < 1)
    operation.refuse(
      "the axes that are normalised must stand behind the batch",
      `axis ${from}`,
      "export the network with the batch first",
    );
  return plain;
}

const layerNormalization: Build = (draft, operation) => {
  const given = operation.traced(0);
  const rank = given.order.length;
  const from = fromFront(operation.int("axis", -1), rank);
  const x = lastAxes(draft, operation, given, from);
  const scale = operation.constant(1, "the scale");
  const offset = operation.constantOrNull(2, "the bias");
  const axes = Array.from({ length: rank - from }, (_, i) => from + i);
  const epsilon = operation.float("epsilon", 1e-5);
  const lengths = axes.map((axis) => x.tensor.shape[axis] as number);
  const own = (constant: Constant) => weightTensor({ ...constant, dims: [product(constant.dims)] }, [0]);
  if ([scale, ...(offset ? [offset] : [])].some(({ dims }) => product(dims) !== product(lengths)))
    operation.refuse(
      `scale and bias must have ${product(lengths)} numbers`,
      scale.dims.join("×"),
      "export it anew",
    );
  const tensor = draft.apply(
    operation,
    x.tensor,
    (name) =>
      fastLayerNorm(
        tf.layers.layerNormalization({
          axis: axes.length === 1 ? axes[0] : axes,
          epsilon,
          center: offset !== null,
          name,
        }),
      ),
    {
      weights: () => [own(scale), ...(offset ? [own(offset)] : [])].map((one) => one.reshape(lengths)),
      weightName: scale.name,
    },
  );
  return { ...x, tensor };
};

/** The moments of each example and channel, over space. */
const instanceNormalization: Build = (draft, operation) => {
  const x = draft.image(operation, operation.traced(0));
  const [scale, offset] = [operation.constant(1, "scale"), operation.constant(2, "B")];
  const axes = x.order.slice(2);
  const over = (value: Traced, suffix: string): Traced => ({
    ...value,
    tensor: draft.apply(
      operation,
      value.tensor,
      (name) => new Reduce({ reduction: "mean", axes: [...axes], keepDims: true, name }),
      { suffix },
    ),
  });
  const add = (name: string) => tf.layers.add({ name });
  const centred = merged(draft, operation, [x, negative(draft, operation, over(x, "_mean"))], add);
  const square = draft.apply(
    operation,
    centred.tensor,
    (name) => new Elementwise({ operation: "square", name }),
  );
  const variance = over({ ...x, tensor: square }, "_variance");
  const epsilon = operation.float("epsilon", 1e-5);
  const shifted = draft.apply(operation, variance.tensor, (name) =>
    tf.layers.rescaling({ scale: 1, offset: epsilon, name }),
  );
  const root = draft.apply(operation, shifted, (name) => new Elementwise({ operation: "squareRoot", name }));
  const factor = reciprocal(draft, operation, { ...variance, tensor: root });
  const normal = merged(draft, operation, [centred, factor], (name) => tf.layers.multiply({ name }));
  const weightShape = [...axes.map(() => 1), product(scale.dims)];
  const tensor = draft.apply(operation, normal.tensor, (name) => new Affine({ weightShape, name }), {
    weights: () => [scale, offset].map((one) => vectorOf(one).reshape(weightShape)),
    weightName: scale.name,
  });
  return { ...normal, tensor };
};

export const normalizations: Builders = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
};
