// Prints the instruction set that the training operators run with, and the largest difference of their output and
// gradients from those of tf.js' operations, relative to the largest entry: both distances, rows and images.
import { pq, tf } from "lutnn";

const normal = (shape, seed) => tf.randomNormal(shape, 0, 1, "float32", seed);
const window = { filterHeight: 3, filterWidth: 3, strideHeight: 1, strideWidth: 1 };
Object.assign(window, {
  dilationHeight: 1,
  dilationWidth: 1,
  padTop: 1,
  padLeft: 1,
  padBottom: 1,
  padRight: 1,
});

let largest = 0;
for (const distance of ["l2", "squaredL2"])
  for (const images of [false, true]) {
    const x = normal(images ? [2, 7, 5, 5] : [33, 45], 1);
    const centroids = normal([5, 16, 9], 2);
    const tensor = normal([45, 19], 3);
    const results = ["native", "tfjs"].map((backend) => {
      const apply = (x, centroids, tensor, inverseTemperatureLogit) => {
        const options = { backend, distance, inverseTemperatureLogit };
        return images
          ? pq.softPqConv2d(x, window, centroids, { kind: "weight", tensor }, options)
          : pq.softPqMatMul(x, centroids, tensor, options);
      };
      const inputs = [x, centroids, tensor, tf.scalar(1.2)];
      const y = apply(...inputs);
      return [
        y,
        ...tf
          .grads((...all) => tf.sum(tf.mul(apply(...all), normal(y.shape, 4))))(inputs)
          .slice(0, 3),
      ];
    });
    for (const [i, native] of results[0].entries()) {
      const wanted = results[1][i];
      const scale = tf.max(tf.abs(wanted)).dataSync()[0];
      largest = Math.max(largest, tf.max(tf.abs(tf.sub(native, wanted))).dataSync()[0] / scale);
    }
  }
console.log(JSON.stringify({ isa: pq.trainingStatus("native").isa, largest }));
