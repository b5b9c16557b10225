// Fits a codebook and a table with the room `pq` alone (argument "pq": plain loops) or with the whole library ("lutnn":
// native code) and prints both, and which native or tf.js modules were loaded.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const room = process.argv[2] === "pq" ? require("../../../kernel/lib/pq/index.js") : require("lutnn").pq;

const digest = (array) => createHash("sha256").update(new Uint8Array(array.buffer)).digest("hex");
let state = 1;
const random = () => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return state / 2 ** 31 - 1;
};
const [rows, numCodebooks, subvectorLength, outputs] = [5001, 5, 3, 67];
const shape = { numCodebooks, numCentroids: 16, subvectorLength };
const x = Float32Array.from({ length: rows * numCodebooks * subvectorLength }, random);
const target = Float32Array.from({ length: rows * outputs }, random);
const quantizer = await room.kMeans(x, shape, { iterations: 2 });
const start = new Float32Array(numCodebooks * 16 * outputs).fill(0.1);
const table = await room.fitTable(quantizer.encode(x), target, start, shape, { tolerance: 0 });
const loaded = Object.keys(require.cache).filter((path) =>
  /tensorflow|lutnn_native|lutnn_training/.test(path),
);
console.log(JSON.stringify({ table: digest(table), centroids: digest(quantizer.centroids), loaded }));
