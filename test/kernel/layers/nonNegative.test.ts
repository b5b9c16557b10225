import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { isNonNegative } from "../../../kernel/lib/layers/nonNegative";

const L = tf.layers;
type Symbolic = tf.SymbolicTensor;

/** What a network's output can hold, each value made by layers one behind the other. */
function judged(
  make: (image: Symbolic, on: (x: Symbolic, ...layers: tf.layers.Layer[]) => Symbolic) => Symbolic,
) {
  const image = tf.input({ shape: [6, 6, 2] });
  const on = (x: Symbolic, ...layers: tf.layers.Layer[]) =>
    layers.reduce((y, layer) => layer.apply(y) as Symbolic, x);
  const graph = new NetworkGraph(tf.model({ inputs: image, outputs: make(image, on) }));
  return isNonNegative(graph, graph.outputs[0].id);
}

const conv = (activation?: "relu" | "tanh") =>
  L.conv2d({ filters: 2, kernelSize: 3, padding: "same", activation });

describe("a value that holds no negative number", () => {
  it("comes from a ReLU and the like, and stays so through layers that rearrange, pool, add and join", () => {
    expect(judged((x, on) => on(x, conv("relu")))).toBe(true);
    expect(judged((x, on) => on(x, conv(), L.reLU()))).toBe(true);
    expect(judged((x, on) => on(x, L.activation({ activation: "sigmoid" })))).toBe(true);
    expect(
      judged((x, on) => on(x, conv("relu"), L.maxPooling2d({}), L.dropout({ rate: 0.5 }), L.flatten())),
    ).toBe(true);
    expect(
      judged((x, on) =>
        on(x, conv("relu"), L.activation({ activation: "linear" }), L.globalAveragePooling2d({})),
      ),
    ).toBe(true);
    expect(judged((x, on) => L.add().apply([on(x, conv("relu")), on(x, conv("relu"))]) as Symbolic)).toBe(
      true,
    );
    expect(
      judged((x, on) => L.concatenate().apply([on(x, conv("relu")), on(x, L.softmax())]) as Symbolic),
    ).toBe(true);
  });

  it("is not known of inputs, of weights, of other activations, and where one of several is not", () => {
    expect(judged((x, on) => on(x, L.flatten()))).toBe(false);
    expect(judged((x, on) => on(x, conv()))).toBe(false);
    expect(judged((x, on) => on(x, conv("tanh")))).toBe(false);
    expect(judged((x, on) => on(x, conv("relu"), L.batchNormalization()))).toBe(false);
    expect(judged((x, on) => on(x, L.leakyReLU()))).toBe(false);
    expect(judged((x, on) => on(x, conv("relu"), L.activation({ activation: "tanh" })))).toBe(false);
    expect(judged((x, on) => L.add().apply([on(x, conv("relu")), on(x, conv())]) as Symbolic)).toBe(false);
  });
});
