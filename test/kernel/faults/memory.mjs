// node memory.mjs: with shim.c loaded. Lets every large allocation of the addons fail in turn: each call says that there is not
// enough memory, and gives afterwards what it gave before.
import { loadHosts, paths, require } from "../../native/addon/addons.mjs";
import { floats, lookupOf, windowOf } from "../../native/addon/layer.mjs";
import { inputLength, smallModel } from "../../native/addon/model.mjs";

const library = loadHosts();
const native = require(paths.lookup);
const training = require(paths.training);
const sessions = require(paths.session);

const [C, K, V, M, rows] = [64, 16, 9, 512, 4096];
const lookup = lookupOf(C, K, V, M);
const window = windowOf(C);
const x = floats(rows * C * V);
const image = floats(C * 64 * 64);
const table = floats(C * K * M);
const values = floats(rows * M);
const model = smallModel();
const batch = 1 << 17;
const input = floats(batch * inputLength);
const integers = {
  inputScale: 0.5,
  inputZeroPoint: 128,
  centroids: Int8Array.from({ length: C * K * V }, (_, i) => i % 127),
  halfNorms: new Int32Array(C * K),
};

/** Each is made anew and gives what it wrote, so that it allocates what it needs every time. */
const calls = {
  ...Object.fromEntries(
    ["float32", "int8", "integer"].flatMap((encoding) =>
      [1, 4].map((threads) => [
        `LutMatMul, ${encoding}, ${threads} threads`,
        () => {
          const layer = new native.LutMatMul(lookup, { encoding, integers });
          const y = new Float32Array(rows * M);
          return [() => layer.run(x, rows, y, { threads }), y];
        },
      ]),
    ),
  ),
  "new LutMatMul": () => [() => new native.LutMatMul(lookup), new Float32Array(0)],
  LutConv: () => {
    const layer = new native.LutConv(lookup, window);
    const y = new Float32Array(M * 64 * 64);
    return [() => layer.run(image, 1, 64, 64, y, { threads: 4 }), y];
  },
  mismatch: () => {
    const layer = new native.LutMatMul(lookup, { encoding: "int8" });
    return [() => layer.mismatch(x, rows), new Float32Array(0)];
  },
  lookup: () => {
    const layer = new native.LutMatMul(lookup);
    const sums = new Int32Array(rows * M);
    return [() => layer.lookup(new Uint8Array(rows * C), rows, sums), sums];
  },
  encode: () => {
    const codes = new Uint8Array(rows * C);
    return [() => native.encode(x, rows, lookup.centroids, C, K, V, codes), codes];
  },
  encodeIntegers: () => {
    const codes = new Uint8Array(rows * C);
    return [() => native.encodeIntegers(x, rows, integers, C, K, V, codes), codes];
  },
  lookupAdd: () => {
    const sums = new Float32Array(rows * M);
    return [
      () => native.lookupAdd(new Uint8Array(rows * C), rows, table, C, K, M, sums, { threads: 4 }),
      sums,
    ];
  },
  scatterAdd: () => {
    const sums = new Float32Array(C * K * M);
    return [
      () => native.scatterAdd(new Uint8Array(rows * C), rows, values, C, K, M, sums, { threads: 4 }),
      sums,
    ];
  },
  quantizeTable: () => {
    const rounded = new Int8Array(C * K * M);
    return [() => native.quantizeTable(table, C * K, M, true, 127, rounded, new Float32Array(M)), rounded];
  },
  kMeans: () => {
    const centroids = new Float32Array(C * 256 * V);
    const draws = Float64Array.from({ length: C * 256 }, (_, i) => (i % 97) / 97);
    return [() => training.kMeans(x, rows, C, 256, V, 3, draws, 0, centroids), centroids];
  },
  "a session": () => {
    const y = new Float32Array(batch * 5);
    const run = async () => {
      const session = await sessions.create(library, model, { threads: 4 });
      const [{ data }] = await session.run([input], [[batch, inputLength]]);
      y.set(data);
      session.release();
    };
    return [run, y];
  },
};

let round = 0;
async function failing(at, act) {
  delete process.env.LUTNN_FAULT_HIT;
  process.env.LUTNN_FAULT = `memory ${at} 12 ${++round}`;
  try {
    await act();
    return null;
  } catch (said) {
    return said;
  } finally {
    delete process.env.LUTNN_FAULT;
  }
}

/** Of the addons', and what ONNX Runtime and Node.js say of it. */
const isAboutMemory = ({ message }) => /not enough memory|bad_alloc|allocat/i.test(message);

let tried = 0;
for (const [name, make] of Object.entries(calls)) {
  const [right, wanted] = make();
  await right();
  // One alone, which V8 may try a second time after a collection, or all from one on.
  for (let at = 1, isReached = true; isReached; at++)
    for (const which of [at, -at]) {
      const [act, got] = make();
      const said = await failing(which, act);
      isReached = process.env.LUTNN_FAULT_HIT === "1";
      if (isReached) tried++;
      if (said && !isAboutMemory(said)) throw new Error(`${name}, allocation ${which}: ${said.stack}`);
      if (!said && isReached && which < 0) throw new Error(`${name}, allocation ${which}: passed over`);
      if (said) await act();
      if (Buffer.compare(Buffer.from(got.buffer), Buffer.from(wanted.buffer)) !== 0)
        throw new Error(`${name}, allocation ${which}: gives something else`);
    }
}
console.log(`${tried} failed allocations in ${Object.keys(calls).length} calls: each said so`);
