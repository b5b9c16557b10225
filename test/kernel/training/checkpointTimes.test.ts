import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tf } from "lutnn";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Optimizer } from "../../../kernel/lib/training/optimizer";
import type { TrainingOptions } from "../../../kernel/lib/training/options";
import type { Position } from "../../../kernel/lib/training/position";
import { ResumableRun } from "../../../kernel/lib/training/resumableRun";

const position = { epoch: 0, batch: 1 } as Position;

/** Seconds after the last checkpoint at which the next one is saved, where saving that one took so long. */
async function secondsBetween(secondsToSave: number, checkpoint: { everySeconds?: number }): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "lutnn-times-"));
  let seconds = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => 1000 * seconds);
  try {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
    const optimizer = new Optimizer([], "adam");
    const run = new ResumableRun(
      model,
      optimizer,
      { checkpoint: { folder, ...checkpoint } } as unknown as TrainingOptions,
      {},
    );
    await run.open();
    const saved = () => readdirSync(folder).filter((name) => name.startsWith("checkpoint-")).length;
    seconds = 1e4;
    await run.saveIfDue(1, position); // copies what there is, writes it in the background …
    seconds += secondsToSave; // … which takes so long
    await run.finish();
    expect(saved()).toBe(1);
    for (let passed = 1; ; passed++) {
      seconds = 1e4 + passed;
      await run.saveIfDue(1 + passed, position);
      await run.finish();
      if (saved() === 2) return passed;
      if (passed > 4000) throw new Error("no second checkpoint came");
    }
  } finally {
    clock.mockRestore();
    rmSync(folder, { recursive: true });
  }
}

describe("a checkpoint by time", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("comes each minute, or as often as asked, where saving is quick", async () => {
    expect(await secondsBetween(0.5, {})).toBe(60);
    expect(await secondsBetween(0.5, { everySeconds: 25 })).toBe(25);
  });

  it("takes a fiftieth of the time at most", async () => {
    expect(await secondsBetween(2, {})).toBe(100);
  });

  it("comes after five minutes at the latest, however long saving takes, unless it was asked for more rarely", async () => {
    expect(await secondsBetween(40, {})).toBe(300);
    expect(await secondsBetween(40, { everySeconds: 900 })).toBe(900);
  });
});
