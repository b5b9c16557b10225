// node phases.mjs SEED PHASE=COUNT …: parts of the check, one after the other in a process of their own, so that a signal is
// seen. Prints a sentence of what each did.
import { readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { loadHosts, paths, require } from "./addons.mjs";
import { badCalls } from "./badCalls.mjs";
import { allCalls } from "./calls.mjs";
import { inputLength, smallModel } from "./model.mjs";
import { below, oneOf, randomFrom } from "./random.mjs";

const [seed, chosen] = [Number(process.argv[2]), process.argv.slice(3).map((part) => part.split("="))];
const library = loadHosts();
const model = smallModel();
const random = randomFrom(seed);

function start(does, more = {}) {
  const worker = new Worker(new URL("busyWorker.mjs", import.meta.url), {
    workerData: { does, library, model, seed, ...more },
  });
  const first = new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  return { worker, first, ended };
}

const threadsNow = () => (process.platform === "linux" ? readdirSync("/proc/self/task").length : 0);

const phases = {
  /** `count` bad calls of each function. */
  bad: async (count) => {
    const { tried, refused } = await badCalls(await allCalls(library, model), count, seed);
    if (!(refused > 0.7 * tried)) throw new Error(`only ${refused} of ${tried} bad calls were refused`);
    return `${tried} bad calls, ${refused} refused, the others carried out`;
  },

  /** The same in eight threads at once, about `count` calls in each. */
  workers: async (count) => {
    const functions = (await allCalls(library, model)).length;
    const each = Math.ceil(count / functions);
    const threads = Array.from({ length: 8 }, (_, i) => start("bad", { each, seed: seed + i * 1_000_000 }));
    const done = await Promise.all(threads.map(({ first }) => first));
    await Promise.all(threads.map(({ ended }) => ended));
    return `8 workers at once, ${done.reduce((sum, { tried }) => sum + tried, 0)} bad calls`;
  },

  /** `count` threads ended at random moments in the middle of calls; the others go on beside them. */
  terminate: async (count) => {
    const kinds = ["calls", "sessions", "blocks"];
    for (let ended = 0; ended < count; ) {
      const two = [0, 1].map(() => start(oneOf(random, kinds)));
      await Promise.all(two.map(({ first }) => first));
      await pause(random() * 30);
      await Promise.all(two.map(({ worker }) => worker.terminate()));
      ended += two.length;
    }
    await badCalls(await allCalls(library, model), 1, seed);
    return `${count} workers terminated in the middle of calls`;
  },

  /** `count` sessions released while runs are on their way: each run ends, and later ones are refused. */
  release: async (count) => {
    const native = require(paths.session);
    const rows = 512;
    const x = new Float32Array(rows * inputLength).fill(0.5);
    const run = (session) => session.run([x], [[rows, inputLength]]);
    const whole = await native.create(library, model, {}).then(run);
    for (let i = 0; i < count; i++) {
      const session = await native.create(library, model, { threads: 1 + below(random, 3) });
      const runs = Array.from({ length: 1 + below(random, 6) }, () => run(session));
      if (random() < 0.5) await pause(random() * 2);
      session.release();
      session.release();
      for (const later of [() => run(session), () => session.endProfiling()])
        try {
          await later();
          throw new Error("a released session ran");
        } catch (error) {
          if (!/is released$/.test(error.message)) throw error;
        }
      for (const [result] of await Promise.all(runs))
        if (Buffer.compare(Buffer.from(result.data.buffer), Buffer.from(whole[0].data.buffer)) !== 0)
          throw new Error("a run of a released session gave something else");
    }
    return `${count} sessions released during runs`;
  },

  /** `count` threads one after the other that load all addons, use each and end: neither threads nor memory pile up. */
  loads: async (count) => {
    const once = async () => {
      const { ended } = start("once");
      const code = await ended;
      if (code !== 0) throw new Error(`a worker ended with ${code}`);
    };
    const warm = Math.min(count, 10);
    for (let i = 0; i < warm; i++) await once();
    const [threads, memory] = [threadsNow(), process.memoryUsage.rss()];
    for (let i = warm; i < count; i++) await once();
    const grown = Math.round((process.memoryUsage.rss() - memory) / 2 ** 20);
    // Node's own threads may come and go; ours would be two and more for each load.
    if (threadsNow() > threads + 4) throw new Error(`${threads} threads became ${threadsNow()}`);
    // A worker of V8 that was not let go of takes tens of MiB.
    if (grown > 150 + count) throw new Error(`memory grew by ${grown} MiB`);
    return `${count} loads and unloads, memory ${grown >= 0 ? "+" : ""}${grown} MiB after the first ${warm}`;
  },
};

for (const [phase, count] of chosen) console.log(await phases[phase](Number(count)));
