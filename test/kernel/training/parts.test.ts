import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { afterAll, describe, expect, it, vi } from "vitest";
import { displaySymbol } from "../../../kernel/lib/host/host";
import { Curve } from "../../../kernel/lib/training/curve";
import { EarlyStop } from "../../../kernel/lib/training/earlyStop";
import { type EpochFigures, TrainingHistory } from "../../../kernel/lib/training/history";
import { LiveHistory } from "../../../kernel/lib/training/liveHistory";
import { MetricsLog, metricsLine } from "../../../kernel/lib/training/metricsLog";
import { formatMetric } from "../../../kernel/lib/training/metricValue";
import { epochFigures, readPosition } from "../../../kernel/lib/training/position";
import { randomFloats } from "../random";

const { tf } = lutnn;
const root = mkdtempSync(join(tmpdir(), "lutnn-parts-"));
afterAll(() => rmSync(root, { recursive: true }));

const accuracy = { name: "accuracy", unit: "%", higherIsBetter: true };
const task = { metric: accuracy, lossUnit: "nats" };
/** Sums in double precision. */
const digits = 9;

describe("a curve", () => {
  it("keeps every batch as long as they are few", () => {
    const curve = new Curve();
    const points = [1, 2, 3].map((i) => ({ at: i / 3, loss: 4 - i, metric: 10 * i, size: 64 }));
    for (const point of points) curve.add(point);
    expect(curve.points).toEqual(points);
  });

  it("joins batches in pairs, then fours, weighted by their sizes, at 400 points at most", () => {
    const curve = new Curve();
    const batch = (i: number) => ({ at: i, loss: i ** 2, metric: -i, size: 1 + (i % 3) });
    const joined = (from: number, count: number) => {
      const all = Array.from({ length: count }, (_, i) => batch(from + i));
      const size = all.reduce((sum, one) => sum + one.size, 0);
      const mean = (name: "at" | "loss" | "metric") =>
        all.reduce((sum, one) => sum + one.size * one[name], 0) / size;
      return { at: mean("at"), loss: mean("loss"), metric: mean("metric"), size };
    };
    let most = 0;
    for (let i = 0; i < 1003; i++) {
      curve.add(batch(i));
      most = Math.max(most, curve.points.length);
      if (i === 398) expect(curve.points).toHaveLength(399);
      if (i === 399) expect(curve.points).toHaveLength(200);
      if (i === 400) expect(curve.points.at(-1)).toEqual(batch(400));
    }
    expect(most).toBe(400); // while the last one waits for its second half
    // 400 become 200 of 2 each; from 800 on there are 200 of 4 each.
    expect(curve.points).toHaveLength(251);
    for (const [i, from, count] of [
      [0, 0, 4],
      [199, 796, 4],
      [200, 800, 4],
      [250, 1000, 3],
    ]) {
      const [point, wanted] = [curve.points[i], joined(from, count)];
      expect(point.size).toBe(wanted.size);
      for (const name of ["at", "loss", "metric"] as const)
        expect(point[name]).toBeCloseTo(wanted[name], digits);
    }
  });
});

const epoch = (number: number, held?: number): EpochFigures => ({
  epoch: number,
  loss: 1 / number,
  metric: 50 + number,
  accuracy: 50 + number,
  seconds: 1.5 * number,
  ...(held === undefined
    ? {}
    : { validation: { metric: { ...accuracy, value: held, noise: 1 }, accuracy: held, loss: 2, size: 9 } }),
});

describe("a history", () => {
  it("says what was done in one line", () => {
    const line = (epochs: EpochFigures[], outcome = {}) =>
      new TrainingHistory("fit", epochs, { stoppedEarly: false, ...outcome }, task).summary();
    expect(line([epoch(1)])).toBe("1 epoch, 1.5 s");
    expect(line([epoch(1), epoch(2)])).toBe("2 epochs, 4.5 s");
    expect(line([epoch(1)], { best: 1, stoppedEarly: true, remark: "so", warning: "w" })).toBe(
      "1 epoch, 1.5 s; best validation in epoch 1; stopped early; so; its batch norms need re-estimating",
    );
  });

  it("draws batches, epochs and validation, each where it was measured, and nothing that is empty", () => {
    const curve = [{ at: 0.25, loss: 9, metric: 7, size: 4 }];
    const epochs = [epoch(1), epoch(2, 60)];
    const history = new TrainingHistory("fit", epochs, { stoppedEarly: false }, task, curve);
    const { panels, title, x } = history.figure().chart;
    expect([title, x, history.last]).toEqual(["fit", { title: "epoch", whole: true }, epochs[1]]);
    expect(panels.map(({ axis, fromZero }) => [axis, fromZero])).toEqual([
      ["loss (nats)", undefined],
      ["accuracy (%)", false],
    ]);
    const drawn = panels.map(({ series }) => series.map(({ name, at, values }) => [name, at, values]));
    expect(drawn).toEqual([
      [
        ["training, within epochs", [0.25], [9]],
        ["training, whole epochs", [1, 2], [1, 0.5]],
        ["validation", [2], [2]],
      ],
      [
        ["training, within epochs", [0.25], [7]],
        ["training, whole epochs", [1, 2], [51, 52]],
        ["validation", [2], [60]],
      ],
    ]);
    const bare = new TrainingHistory("fit", [epoch(1)], { stoppedEarly: false }, task).figure().chart;
    expect(bare.panels.map(({ series }) => series.map(({ name }) => name))).toEqual([
      ["training, whole epochs"],
      ["training, whole epochs"],
    ]);
  });

  it("is a table of its epochs, with columns of the validation where there is one", () => {
    const table = (epochs: EpochFigures[], unit = "%") =>
      new TrainingHistory(
        "fit",
        epochs,
        { stoppedEarly: false },
        {
          ...task,
          metric: { ...accuracy, unit },
        },
      ).toTable();
    const held = table([epoch(1), epoch(2, 60)]);
    expect(held.columns.map(({ title }) => title)).toEqual([
      "epoch",
      "loss (nats)",
      "accuracy (%)",
      "validation loss (nats)",
      "validation accuracy (%)",
      "time (s)",
    ]);
    expect(held.rows).toEqual([
      [1, 1, 51, null, null, 1.5],
      [2, 0.5, 52, 2, 60, 3],
    ]);
    const bare = table([epoch(1)], "");
    expect(bare.columns.map(({ title }) => title)).toEqual(["epoch", "loss (nats)", "accuracy", "time (s)"]);
    expect(bare.rows).toEqual([[1, 1, 51, 1.5]]);
    expect(bare.caption).toBe("fit\n1 epoch, 1.5 s");
  });

  it("shows itself unless the cell shows it already", () => {
    const shown = (...isShown: (() => boolean)[]) =>
      new TrainingHistory("fit", [epoch(1)], { stoppedEarly: false }, task, [], ...isShown)[displaySymbol]();
    expect(shown(() => true)).toEqual({});
    expect(Object.keys(shown(() => false))).toEqual(Object.keys(shown()));
    expect(shown()["text/plain"]).toMatch(/^fit\n1 epoch, 1.5 s\nepoch +loss/);
  });
});

describe("the live chart of a run", () => {
  const symbol = Symbol.for("lutnn.host");
  const scope = globalThis as unknown as Record<symbol, unknown>;
  const history = () => new TrainingHistory("fit", [epoch(1)], { stoppedEarly: false }, task);

  /** What is displayed while `work` runs in a cell, as "new" or "update" with its place. */
  function inCell(signal: AbortSignal, work: () => void): [string, string][] {
    const shown: [string, string][] = [];
    const before = scope[symbol];
    scope[symbol] = {
      signal,
      display: (_: unknown, { displayId, update }: { displayId: string; update: boolean }) =>
        shown.push([update ? "update" : "new", displayId]),
    };
    try {
      work();
    } finally {
      scope[symbol] = before;
    }
    return shown;
  }

  it("is drawn after a second, then twice a second, in one place of the cell", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const cell = new AbortController().signal;
      const kinds: number[] = [];
      let isShown = () => false;
      const shown = inCell(cell, () => {
        const live = new LiveHistory();
        for (let time = 0; time <= 2400; time += 100) {
          const made = vi.fn(history);
          live.update(made);
          if (made.mock.calls.length > 0) kinds.push(time);
          vi.advanceTimersByTime(100);
        }
        isShown = live.finish(history());
        expect(isShown()).toBe(true);
      });
      expect(kinds).toEqual([1000, 1500, 2000]);
      expect(shown.map(([kind]) => kind)).toEqual(["new", "update", "update", "update"]);
      expect(new Set(shown.map(([, id]) => id)).size).toBe(1);
      expect(isShown()).toBe(false); // another cell, or none, shows nothing of it

      // A second run of the cell takes the first one's place; then the first is no longer shown.
      const again = inCell(cell, () => {
        const live = new LiveHistory();
        vi.advanceTimersByTime(1000);
        live.update(history);
        expect(live.finish(history())()).toBe(true);
        expect(isShown()).toBe(false);
      });
      expect(again.map(([kind, id]) => [kind, id === shown[0][1]])).toEqual([
        ["update", true],
        ["update", true],
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is not there for a run that is over at once, nor outside of a notebook", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const cell = new AbortController().signal;
      const quick = inCell(cell, () => {
        const live = new LiveHistory();
        live.update(history);
        expect(live.finish(history())()).toBe(false);
      });
      expect(quick).toEqual([]);
      const live = new LiveHistory();
      vi.advanceTimersByTime(5000);
      live.update(history);
      expect(live.finish(history())()).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a log", () => {
  const saved = { epoch: 2, loss: 0.5, metric: 70, seconds: 1 };

  it("has a line for each epoch, under the metric's own name", () => {
    expect(metricsLine(12, saved, accuracy)).toEqual({ step: 12, epoch: 2, loss: 0.5, accuracy: 70 });
    const error = { name: "mean absolute error", unit: "m", higherIsBetter: false };
    const validation = { metric: { name: error.name, unit: "m", value: 3, noise: 1 }, loss: 0.25, size: 4 };
    expect(metricsLine(12, { ...saved, validation }, error)).toEqual({
      step: 12,
      epoch: 2,
      loss: 0.5,
      meanAbsoluteError: 70,
      validationLoss: 0.25,
      validationMeanAbsoluteError: 3,
    });
  });

  it("that goes on keeps the lines up to its step, and drops later and cut ones", async () => {
    const folder = mkdtempSync(join(root, "log-"));
    const lines = () => readFileSync(join(folder, "metrics.jsonl"), "utf8").split("\n").filter(Boolean);
    const first = new MetricsLog(folder);
    await first.open(0);
    for (const step of [5, 10, 15]) await first.add({ step, epoch: step / 5, loss: 1 });
    writeFileSync(join(folder, "metrics.jsonl"), `${lines().join("\n")}\n{"step":1`);
    const again = new MetricsLog(folder);
    await again.open(10);
    await again.add({ step: 20, epoch: 4, loss: 2 });
    expect(lines().map((line) => JSON.parse(line).step)).toEqual([5, 10, 20]);
    // TensorBoard's events name each figure but the step.
    const events = readdirSync(folder).filter((name) => name.startsWith("events.out.tfevents."));
    const text = events.map((name) => readFileSync(join(folder, name), "latin1")).join("");
    expect([text.includes("loss"), text.includes("epoch"), text.includes("step")]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe("a saved position", () => {
  const figures = { epoch: 1, loss: 1, metric: null, seconds: 2 };
  const position = {
    epoch: 1,
    batch: 3,
    lossSum: null,
    score: { metric: 1, weight: 2, metricSquares: 3, products: 4, weightSquares: 5 },
    seconds: 0.5,
    figures: [figures],
    waited: 0,
  };

  it("is read with what is not finite, and refused where it does not fit", () => {
    const read = readPosition(JSON.parse(JSON.stringify(position)), "c");
    expect(read).toEqual({ ...position, lossSum: Number.NaN, figures: [{ ...figures, metric: Number.NaN }] });
    for (const [change, message] of [
      [{ figures: [] }, /figures of each epoch/],
      [{ epoch: 2 }, /figures of each epoch/],
      [{ batch: -1 }, /position batch/],
      [{ batch: 0.5 }, /position batch/],
      [{ waited: -1 }, /position waited/],
      [{ best: { epoch: 1 } }, /position best\.value/],
    ] as const)
      expect(() => readPosition({ ...position, ...change }, "c")).toThrow(message);
    expect(readPosition({ ...position, batch: 0, best: { epoch: 1, value: 2 } }, "c").best!.value).toBe(2);
  });

  it("has an accuracy where the metric is one", () => {
    const saved = { epoch: 1, loss: 1, metric: 80, seconds: 2 };
    const validation = { metric: { ...accuracy, value: 60, noise: 1 }, loss: 1, size: 9 };
    const given = epochFigures({ ...saved, validation }, accuracy);
    expect([given.accuracy, given.validation!.accuracy]).toEqual([80, 60]);
    expect(epochFigures(saved, { ...accuracy, name: "error" }).accuracy).toBeNaN();
    expect(formatMetric(accuracy, 12.34)).toBe("12.3 %");
    expect(formatMetric({ unit: "m" }, 12.345)).toBe("12.3 m");
    expect(formatMetric({ unit: "" }, 0.5)).toBe("0.5");
  });
});

/** y = 3a of 20 numbers a, and a network of one weight. */
const values = randomFloats(20, 4);
const line = new lutnn.datasets.ArrayExamples({
  name: "line",
  inputs: { x: { shape: [1], values } },
  target: { kind: "values", length: 1 },
  targets: values.map((value) => 3 * value),
});
const single = (weight: number) => {
  const input = tf.input({ shape: [1] });
  const kernel = tf.layers.dense({ units: 1, useBias: false, weights: [tf.tensor2d([[weight]])] });
  return tf.model({ inputs: input, outputs: kernel.apply(input) as lutnn.tf.SymbolicTensor, name: "one" });
};

describe("a run", () => {
  it("tells what it has done as it goes: examples, epoch, loss so far, and its curve", async () => {
    const told: [number, Record<string, string>][] = [];
    const ended: Record<string, string>[] = [];
    const update = vi
      .spyOn(lutnn.Progress.prototype, "update")
      .mockImplementation((done, fields) => void told.push([done, { ...fields }]));
    const finish = vi
      .spyOn(lutnn.Progress.prototype, "finish")
      .mockImplementation((fields) => void ended.push({ ...fields }));
    let history: TrainingHistory;
    const start = performance.now();
    try {
      history = await lutnn.fit(single(2), line, {
        epochs: 2,
        batchSize: 8,
        learningRate: 1e-12,
        validation: line,
      });
    } finally {
      update.mockRestore();
      finish.mockRestore();
    }
    expect(told.map(([done]) => done)).toEqual([8, 16, 20, 28, 36, 40]);
    expect(told.map(([, { epoch }]) => epoch)).toEqual([..."111222"].map((number) => `${number}/2`));
    expect(told.map(([, fields]) => "validation" in fields)).toEqual([
      ...[false, false, false],
      ...[true, true, true],
    ]);
    // The weight stays 2, so the loss is the mean of (2a − 3a)² over the variance of 3a.
    const { length } = values;
    const mean = values.reduce((a, b) => a + b, 0) / length;
    const variance = values.reduce((sum, a) => sum + 9 * (a - mean) ** 2, 0) / length;
    const loss = values.reduce((sum, a) => sum + a ** 2, 0) / length / variance;
    const error = values.reduce((sum, a) => sum + Math.abs(a), 0) / length;
    for (const { loss: own, metric, validation } of history.epochs) {
      expect(own).toBeCloseTo(loss, 5);
      expect(validation!.loss).toBeCloseTo(loss, 5);
      expect(metric).toBeCloseTo(error, 5);
    }
    for (const at of [2, 5]) expect(told[at][1].loss).toBe(loss.toFixed(3));
    expect(ended).toEqual([
      {
        loss: loss.toFixed(3),
        "mean absolute error": error.toPrecision(3),
        validation: error.toPrecision(3),
      },
    ]);
    expect(history.curve.map(({ size }) => size)).toEqual([8, 8, 4, 8, 8, 4]);
    for (const [i, { at }] of history.curve.entries()) expect(at).toBeCloseTo((i + 0.5) / 3, digits);
    const whole = history.curve.slice(0, 3).reduce((sum, one) => sum + (one.size * one.loss) / length, 0);
    expect(whole).toBeCloseTo(loss, 5);
    const took = history.epochs.map(({ seconds }) => seconds);
    expect(Math.min(...took)).toBeGreaterThan(0);
    expect(took[0] + took[1]).toBeLessThan((performance.now() - start) / 1000);
  });

  it("is over where its loss is a million times its first, and says in which step", async () => {
    const calm = await lutnn.fit(single(2), line, {
      epochs: 1,
      batchSize: 20,
      learningRate: 100,
      algorithm: "sgd",
    });
    expect(calm.epochs).toHaveLength(1);
    await expect(
      lutnn.fit(single(2), line, {
        epochs: 3,
        batchSize: 20,
        learningRate: 1e6,
        algorithm: "sgd",
        schedule: "constant",
      }),
    ).rejects.toThrow(/^fit one: the loss must stay below 1000000 \(got [\de+.]+ in step 2\); lower/);
  });

  it("is refused with what is missing before it begins", async () => {
    const run = (options: object) => lutnn.fit(single(2), line, { epochs: 1, ...options });
    for (const [options, message] of [
      [{ earlyStopping: { patience: 1 } }, /earlyStopping needs validation data/],
      [{ earlyStopping: { patience: 0 }, validation: line }, /patience must be a positive integer \(got 0\)/],
      [{ batchSize: 0 }, /batchSize must be a positive integer/],
      [{ batchSize: 1.5 }, /got 1.5/],
      [{ algorithm: "other" }, /algorithm must be/],
      [{ schedule: { every: 0, factor: 1 } }, /schedule must be/],
      [{ schedule: { every: 1, factor: 0 } }, /schedule must be/],
      [{ warmupSteps: -1 }, /warmupSteps must be a whole number from 0 \(got -1\)/],
      [{ warmupSteps: 0.5 }, /got 0.5/],
    ] as const)
      await expect(run(options)).rejects.toThrow(message);
    expect((await run({ schedule: { every: 1, factor: 0.5 }, batchSize: 1 })).epochs).toHaveLength(1);
  });
});

describe("early stopping", () => {
  it("looks at the task's metric, or at the loss where that is asked for", () => {
    const evaluation = { metric: { ...accuracy, value: 80, noise: 1 }, accuracy: 80, loss: 0.5, size: 9 };
    expect(new EarlyStop("fit", accuracy, { patience: 1 }).valueOf(evaluation)).toBe(80);
    expect(new EarlyStop("fit", accuracy, { patience: 1, metric: "loss" }).valueOf(evaluation)).toBe(0.5);
    expect(new EarlyStop("fit", accuracy, { patience: 3 }).patience).toBe(3);
  });
});

describe("batch norms of small numbers", () => {
  const size = 64;
  const small = randomFloats(size, 8).map((value) => 0.01 * value + 3);
  const data = new lutnn.datasets.ArrayExamples({
    name: "small",
    inputs: { x: { shape: [1], values: small } },
    target: { kind: "values", length: 1 },
    targets: small.map((value) => value - 3),
  });
  const mean = small.reduce((a, b) => a + b, 0) / size;
  const variance = small.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;

  /** Two norms, one on the numbers and one on a hundredth of them, whose own statistics are these. */
  function network(statistics: [number, number][]): lutnn.tf.LayersModel {
    const input = tf.input({ shape: [1] });
    let x = input;
    for (const [i, name] of ["first", "second"].entries()) {
      const norm = tf.layers.batchNormalization({ name, epsilon: 1e-4, scale: false, center: false });
      x = norm.apply(x) as typeof x;
      norm.setWeights(statistics[i].map((value) => tf.tensor1d([value])));
    }
    const end = tf.layers.dense({ units: 1, useBias: false, weights: [tf.tensor2d([[1 / 100]])] });
    const model = tf.model({ inputs: input, outputs: end.apply(x) as typeof x, name: "small" });
    return model;
  }

  it("are estimated as they are", async () => {
    const model = network([
      [0, 1],
      [0, 1],
    ]);
    await lutnn.reestimateBatchNorms(model, data, { batchSize: size });
    const [own, spread] = model
      .getLayer("first")
      .getWeights()
      .map((weight) => weight.dataSync()[0]);
    expect(own).toBeCloseTo(mean, 5);
    expect(spread / variance).toBeCloseTo(1, 3);
  });

  it("are told of by how far the worst is off, and how many others there are", async () => {
    const epsilon = 1e-4;
    const said = async (statistics: [number, number][]) =>
      (await lutnn.batchNormWarning(network(statistics), data, { task: "regression" })) ?? "";
    const short = (value: number) => String(Number(value.toPrecision(2)));
    // What the second one sees has mean 0 and this variance, whatever the first one's own statistics are.
    const seen = variance / (variance + epsilon);
    const both = await said([
      [mean + 1, 0.04],
      [5, 9],
    ]);
    expect(both).toContain("batch norm first (and 1 more) must");
    expect(both).toContain(`its mean is ${short(1 / Math.sqrt(0.04 + epsilon))} standard deviations away`);
    expect(both).toContain(`its variance ${short((0.04 + epsilon) / (variance + epsilon))} times the data's`);
    const one = await said([
      [mean + 1, 0.04],
      [0, seen],
    ]);
    expect(one).toContain("batch norm first must");
  });
});
