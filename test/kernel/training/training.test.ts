import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { writeSafetensors } from "../../../kernel/lib/files/safetensors";
import { tinyData, tinyNetwork } from "../network";

const { tf } = lutnn;
const root = mkdtempSync(join(tmpdir(), "lutnn-training-"));
afterAll(() => rmSync(root, { recursive: true }));

const train = tinyData(160);
const validation = tinyData(40, 7);
const bytes = (model: lutnn.tf.LayersModel) =>
  model
    .getWeights()
    .map((weight) => Buffer.from((weight.dataSync() as Float32Array).slice().buffer).toString("base64"));

/** Aborts a run from its own data: after `count` batches. */
function abortAfter(count: number): { signal: AbortSignal; data: lutnn.datasets.Dataset } {
  const controller = new AbortController();
  const data = tinyData(160);
  const batches = data.batches.bind(data);
  let seen = 0;
  data.batches = async function* (...args: Parameters<typeof batches>) {
    for await (const batch of batches(...args)) {
      if (++seen > count) controller.abort(new Error("stopped"));
      yield batch;
    }
  };
  return { signal: controller.signal, data };
}

describe("a run", () => {
  it("follows from its seed alone", async () => {
    const run = async (seed: number) => {
      const model = tinyNetwork(1);
      await lutnn.fit(model, train, { epochs: 2, seed });
      return bytes(model);
    };
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  it("keeps the number of tensors constant", async () => {
    const model = tinyNetwork(1);
    await lutnn.fit(model, train, { epochs: 1, validation });
    const before = tf.memory().numTensors;
    await lutnn.fit(model, train, {
      epochs: 2,
      validation,
      algorithm: "sgd",
      weightDecay: 1e-3,
      schedule: { every: 1, factor: 0.1 },
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(["adam", "sgd"] as const)(
    "goes on after an abort as if it had not been (%s)",
    async (algorithm) => {
      const options = {
        epochs: 4,
        batchSize: 32,
        algorithm,
        learningRate: 0.01,
        weightDecay: 0.01,
        validation,
        schedule: "cosine" as const,
      };
      const whole = tinyNetwork(2);
      await lutnn.fit(whole, train, options);
      const folder = join(root, `abort-${algorithm}`);
      for (const count of [3, 5, 1]) {
        const { signal, data } = abortAfter(count);
        const model = tinyNetwork(2);
        await expect(lutnn.fit(model, data, { ...options, signal, checkpoint: folder })).rejects.toThrow(
          "stopped",
        );
      }
      const model = tinyNetwork(2);
      const history = await lutnn.fit(model, train, { ...options, checkpoint: folder });
      expect(history.outcome.resumedAt).toBe(12); // (3 + 1) + (5 + 1) + (1 + 1): the batch that sees the abort still counts
      expect(history.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
      expect(bytes(model)).toEqual(bytes(whole));
      // A run that is over is over: the same call gives its weights and figures at once.
      const again = tinyNetwork(2);
      const same = await lutnn.fit(again, train, { ...options, checkpoint: folder });
      expect(bytes(again)).toEqual(bytes(whole));
      expect(same.epochs).toEqual(history.epochs);
    },
  );

  it("is refused another run's checkpoint, and begins anew when told to", async () => {
    const checkpoint = join(root, "other");
    await lutnn.fit(tinyNetwork(1), train, { epochs: 1, checkpoint });
    const other = lutnn.fit(tinyNetwork(1), train, { epochs: 1, batchSize: 16, checkpoint });
    await expect(other).rejects.toThrow(
      /must be of the same run \(batchSize was 64 and is 16\).*pass \{ resume: false \}/,
    );
    const changed = tinyData(160, 3);
    await expect(lutnn.fit(tinyNetwork(1), changed, { epochs: 1, checkpoint })).rejects.toThrow(
      /same run \(data was/,
    );
    const history = await lutnn.fit(tinyNetwork(1), train, {
      epochs: 1,
      batchSize: 16,
      checkpoint,
      resume: false,
    });
    expect(history.outcome.resumedAt).toBeUndefined();
  });

  it("refuses a damaged checkpoint and goes on from the one before it", async () => {
    const folder = join(root, "damaged");
    const options = { epochs: 3, batchSize: 32, checkpoint: { folder, everySteps: 5 } };
    const whole = tinyNetwork(3);
    await lutnn.fit(whole, train, options);
    const [older, newer] = readdirSync(folder).sort();
    expect([older, newer]).toEqual(["checkpoint-000000010.safetensors", "checkpoint-000000015.safetensors"]);
    const damage = readFileSync(join(folder, newer));
    damage[damage.length - 100] ^= 1;
    writeFileSync(join(folder, newer), damage);
    const warnings: string[] = [];
    const listen = (warning: Error) => warnings.push(warning.message);
    process.on("warning", listen);
    const model = tinyNetwork(3);
    const history = await lutnn.fit(model, train, options);
    await new Promise(setImmediate);
    process.off("warning", listen);
    expect(history.outcome.resumedAt).toBe(10);
    expect(warnings.join()).toMatch(
      /000000015\.safetensors: the checkpoint must match its checksum .* the checkpoint before it is used/,
    );
    expect(bytes(model)).toEqual(bytes(whole));
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), "cut");
    await expect(lutnn.fit(tinyNetwork(3), train, options)).rejects.toThrow(
      /at least one of the checkpoints .* must be whole/,
    );
  });

  it("says so when the folder cannot be used", async () => {
    const file = join(root, "a file");
    writeFileSync(file, "");
    await expect(
      lutnn.fit(tinyNetwork(1), train, { epochs: 1, checkpoint: join(file, "sub") }),
    ).rejects.toThrow(
      /^checkpoint: every folder on the way must be one, but one of them is a file; choose another path \(got ENOTDIR for ".*a file\/sub"\)$/,
    );
    const tried = (options: object) => lutnn.fit(tinyNetwork(1), train, { epochs: 1, ...options });
    for (const name of ["checkpoint", "log"]) {
      const sentence = (why: string) => new RegExp(`^${name}: .* \\(got ${why} for ".*"\\)$`);
      await expect(tried({ [name]: file })).rejects.toThrow(sentence("EEXIST"));
      await expect(tried({ [name]: join(root, "a\0b") })).rejects.toThrow(sentence("ERR_INVALID_ARG_VALUE"));
      const folder = join(root, `${name} of folders`);
      const within = name === "log" ? "metrics.jsonl" : "checkpoint-000000009.safetensors";
      mkdirSync(join(folder, within), { recursive: true });
      await expect(tried({ [name]: folder })).rejects.toThrow(
        new RegExp(`^${name}: .*the path must name a file, but a folder is there`),
      );
      await expect(tried({ [name]: folder })).rejects.toThrow(lutnn.LutnnError);
    }
    const locked = join(root, "locked");
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    if (process.getuid?.() !== 0)
      // root may write everywhere
      await expect(lutnn.fit(tinyNetwork(1), train, { epochs: 1, checkpoint: locked })).rejects.toThrow(
        /^checkpoint: you must have the right to do so; .* \(got EACCES for ".*locked.*"\)$/,
      );
  });

  it("refuses a checkpoint whose checksum is right and whose content is not", async () => {
    const folder = join(root, "crafted");
    mkdirSync(folder);
    for (const text of ["", "nope", "[]", "null", '{"step":1}', '{"step":1.5,"position":{},"identity":{}}']) {
      const sha256 = createHash("sha256").update(text).digest("hex");
      writeFileSync(
        join(folder, "checkpoint-000000001.safetensors"),
        writeSafetensors([], { lutnn: text, sha256 }),
      );
      const attempt = lutnn.fit(tinyNetwork(1), train, { epochs: 1, checkpoint: folder });
      await expect(attempt).rejects.toThrow(lutnn.LutnnError);
      await expect(attempt).rejects.toThrow(/must say its step, position and identity/);
    }
  });

  it("stops early and leaves the best weights", async () => {
    const model = tinyNetwork(5);
    const noise = tinyData(160, 55);
    noise.labels.reverse(); // nothing to learn: the validation cannot keep getting better
    const history = await lutnn.fit(model, noise, {
      epochs: 200,
      validation,
      learningRate: 0.01,
      schedule: "constant",
      earlyStopping: { patience: 3, metric: "loss" },
    });
    const { best, stoppedEarly } = history.outcome;
    expect(stoppedEarly).toBe(true);
    expect(history.epochs.length).toBe(best! + 3);
    const reached = (await lutnn.evaluate(model, validation)).loss;
    expect(reached).toBeCloseTo(history.epochs[best! - 1].validation!.loss, 6);
    expect(history.figure().chart.subtitle).toContain(`best validation in epoch ${best}; stopped early`);
  });

  it("names the layer in which numbers stop being finite", async () => {
    const model = tinyNetwork(6);
    const layer = model.getLayer("c3");
    const [weight, bias] = layer.getWeights();
    layer.setWeights([tf.mul(weight, 1e38), tf.mul(tf.onesLike(bias), 1e38)]);
    const before = bytes(model);
    const attempt = lutnn.fit(model, train, { epochs: 1, checkpoint: join(root, "nan") });
    await expect(attempt).rejects.toThrow(
      /the loss must stay below \S+ \(got NaN in step 1; the first number that is not finite is in the output of layer c3\); lower the learning rate; give a checkpoint folder to keep good states/,
    );
    // The weights that are trained stay as they were; batch norms have seen the batch.
    expect(bytes(model)[0]).toBe(before[0]);
  });

  it("writes each epoch once, as JSON lines and for TensorBoard", async () => {
    const log = join(root, "log");
    const checkpoint = { folder: join(root, "log-run"), everySteps: 2 };
    const options = { epochs: 4, batchSize: 32, validation, log, checkpoint };
    const { signal, data } = abortAfter(11);
    await expect(lutnn.fit(tinyNetwork(1), data, { ...options, signal })).rejects.toThrow("stopped");
    await lutnn.fit(tinyNetwork(1), train, options);
    const lines = readFileSync(join(log, "metrics.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ step, epoch }) => [step, epoch])).toEqual([
      [5, 1],
      [10, 2],
      [15, 3],
      [20, 4],
    ]);
    expect(Object.keys(lines[0])).toEqual([
      "step",
      "epoch",
      "loss",
      "accuracy",
      "validationLoss",
      "validationAccuracy",
    ]);
    expect(readdirSync(log).filter((name) => name.includes("tfevents")).length).toBeGreaterThan(0);
  });

  it.each([
    [{ epochs: 0 }, /epochs must be a positive integer \(got 0\)/],
    [{ epochs: 1, batchSize: 1.5 }, /batchSize must be a positive integer \(got 1.5\)/],
    [
      { epochs: 1, schedule: "linear" as "cosine" },
      /schedule must be "cosine", "constant" or \{ every: epochs, factor \} \(got "linear"\)/,
    ],
    [{ epochs: 1, algorithm: "lamb" as "adam" }, /algorithm must be "adam" or "sgd" \(got "lamb"\)/],
    [{ epochs: 1, earlyStopping: { patience: 2 } }, /earlyStopping needs validation data/],
  ])("refuses %j in one sentence", async (options, message) => {
    await expect(lutnn.fit(tinyNetwork(1), train, options)).rejects.toThrow(lutnn.LutnnError);
    await expect(lutnn.fit(tinyNetwork(1), train, options)).rejects.toThrow(message);
  });
});
