// Prints the instruction set that the training operators run with; the largest difference of their gradients from those of
// tf.js' operations, relative to the largest entry: both distances, rows and images; and how many outputs of rows are not
// those of plain loops on the operators' own real table.
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

/** Codes by the definition, the table rounded to bytes, their sum times the scale. */
function outputByLoops(x, centroids, weight) {
  const [numCodebooks, numCentroids, subvectorLength] = centroids.shape;
  const [rows, outputs] = [x.shape[0], weight.shape[1]];
  const shape = { numCodebooks, numCentroids, subvectorLength };
  const codes = pq.encodeReference(x.dataSync(), rows, centroids.dataSync(), shape);
  const real = pq.realTable(centroids, weight, "native").dataSync();
  const { values, scale } = pq.quantizeTable(real, outputs, "layer");
  const sums = pq.lookupReference(codes, rows, values, shape, outputs);
  return pq.scaleSumsReference(sums, scale, new Float32Array(outputs));
}

let largest = 0;
let wrongOutputs = 0;
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
    if (!images) {
      const wanted = outputByLoops(x, centroids, tensor);
      for (const [i, value] of results[0][0].dataSync().entries()) if (value !== wanted[i]) wrongOutputs++;
    }
    for (const [i, native] of results[0].entries()) {
      if (i === 0) continue; // y: one step of the table apart where P·W lies half-way between two integers
      const wanted = results[1][i];
      const scale = tf.max(tf.abs(wanted)).dataSync()[0];
      largest = Math.max(largest, tf.max(tf.abs(tf.sub(native, wanted))).dataSync()[0] / scale);
    }
  }
console.log(JSON.stringify({ isa: pq.trainingStatus("native").isa, largest, wrongOutputs }));
