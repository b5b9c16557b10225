import { datasets, tf } from "lutnn";
import { randomFloats } from "./random";

/** A small network with a 3×3, a strided 3×3 with fused ReLU, a 1×1 and two dense layers, on 6×6×2 images. */
export function tinyNetwork(seed = 0): tf.LayersModel {
  const init = (index: number) => tf.initializers.heNormal({ seed: seed * 10 + index + 1 });
  const input = tf.input({ shape: [6, 6, 2], name: "image" });
  const conv = (x: tf.SymbolicTensor, index: number, args: object) =>
    tf.layers
      .conv2d({
        filters: 8,
        kernelSize: 3,
        padding: "same",
        kernelInitializer: init(index),
        name: `c${index}`,
        ...args,
      })
      .apply(x) as tf.SymbolicTensor;
  let x = conv(input, 1, { useBias: false });
  x = tf.layers.batchNormalization({ name: "bn1" }).apply(x) as tf.SymbolicTensor;
  x = tf.layers.reLU({ name: "relu1" }).apply(x) as tf.SymbolicTensor;
  const skip = x;
  x = conv(x, 2, { useBias: false });
  x = tf.layers.batchNormalization({ name: "bn2" }).apply(x) as tf.SymbolicTensor;
  x = tf.layers.add({ name: "sum" }).apply([x, skip]) as tf.SymbolicTensor;
  x = conv(x, 3, { strides: 2, activation: "relu" });
  x = conv(x, 4, { kernelSize: 1, filters: 12 });
  x = tf.layers.flatten({ name: "flat" }).apply(x) as tf.SymbolicTensor;
  x = tf.layers
    .dense({ units: 24, activation: "relu", kernelInitializer: init(5), name: "hidden" })
    .apply(x) as tf.SymbolicTensor;
  x = tf.layers.dense({ units: 3, kernelInitializer: init(6), name: "logits" }).apply(x) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: x, name: "tiny" });
}

/** Random images of three classes that differ in their mean, so that something can be learnt. */
export function tinyData(size: number, seed = 0): datasets.Dataset {
  const images = randomFloats(size * 72, seed + 100);
  const labels = Int32Array.from({ length: size }, (_, n) => n % 3);
  images.forEach((value, i) => {
    const label = labels[Math.floor(i / 72)];
    images[i] = value + (i % 72 < 36 ? label : -label) * 0.5;
  });
  return new datasets.Dataset({ name: "tiny", inputShape: [6, 6, 2], numClasses: 3, images, labels });
}
