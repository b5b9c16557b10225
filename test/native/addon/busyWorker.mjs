// A thread that is at the addons: workerData says what it does. It tells when it begins and, where it ends, what it did.
import { parentPort, workerData } from "node:worker_threads";
import { paths, require } from "./addons.mjs";
import { badCalls, rightCall } from "./badCalls.mjs";
import { allCalls } from "./calls.mjs";
import { inputLength } from "./model.mjs";

const { does, library, model, each, seed } = workerData;

/** Right calls of every function, again and again, checked against the first one's result. */
async function callOn(calls) {
  const wanted = new Map();
  for (;;)
    for (const callable of calls) {
      const got = await rightCall(callable);
      if (got !== (wanted.get(callable.name) ?? got)) throw new Error(`${callable.name} gave something else`);
      wanted.set(callable.name, got);
    }
}

/** Sessions made, run many times at once and let go of, without waiting for the end. */
async function runOn() {
  const native = require(paths.session);
  for (;;) {
    const session = await native.create(library, model, { threads: 2 });
    const x = new Float32Array(64 * inputLength).fill(0.5);
    const runs = Array.from({ length: 8 }, () => session.run([x], [[64, inputLength]]));
    session.release();
    await Promise.all(runs);
  }
}

/** One long call after the other, in which a thread spends all of its time. */
function blockOn() {
  const native = require(paths.lookup);
  const training = require(paths.training);
  const [C, K, V, M, rows] = [16, 16, 9, 64, 512];
  const layer = new native.LutMatMul({
    numCodebooks: C,
    numCentroids: K,
    subvectorLength: V,
    outputs: M,
    centroids: new Float32Array(C * K * V).fill(0.5),
    lookupTable: new Int8Array(C * K * M).fill(3),
    tableScale: new Float32Array(M).fill(1),
    bias: new Float32Array(M),
  });
  const [x, y] = [new Float32Array(rows * C * V), new Float32Array(rows * M)];
  const run = layer.bind(x, rows, y, { threads: 4 });
  for (;;) {
    run();
    training.kMeans(x, rows, C, K, V, 3, new Float64Array(C * K).fill(0.5), 0, new Float32Array(C * K * V));
  }
}

/** Without what measures for some 50 ms. */
const quickCalls = async () => (await allCalls(library, model)).filter(({ name }) => name !== "peakRates");

const actions = {
  bad: async () => badCalls(await quickCalls(), each, seed),
  calls: async () => {
    const calls = await quickCalls();
    parentPort.postMessage("busy");
    return callOn(calls);
  },
  sessions: () => {
    parentPort.postMessage("busy");
    return runOn();
  },
  blocks: () => {
    parentPort.postMessage("busy");
    return blockOn();
  },
  /** Loads all three, uses each and ends. */
  once: async () => {
    for (const callable of await quickCalls()) await rightCall(callable);
  },
};
parentPort.postMessage(await actions[does]());
