import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyData, tinyNetwork } from "../network";
import { mutatedJson } from "./mutate";

/** So many mutated files for each reader; LUTNN_FUZZ multiplies them, LUTNN_FUZZ_SEED takes others. */
const times = Number(process.env.LUTNN_FUZZ ?? 1);
const firstSeed = Number(process.env.LUTNN_FUZZ_SEED ?? 0) * 1_000_000;

const root = mkdtempSync(join(tmpdir(), "lutnn-fuzz-"));
afterAll(() => rmSync(root, { recursive: true }));

/**
 * Feeds a reader so many inputs. Whatever it says of them must be a LutnnError of one line; and it must take some and
 * refuse some, or it does not look.
 */
async function fuzz(count: number, attempt: (seed: number) => unknown): Promise<void> {
  let refused = 0;
  const last = firstSeed + Math.ceil(count * times);
  for (let seed = firstSeed; seed < last; seed++)
    try {
      await attempt(seed);
    } catch (error) {
      if (!(error instanceof lutnn.LutnnError) || error.message.includes("\n"))
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.stack : error}`);
      refused++;
    }
  const share = refused / (last - firstSeed);
  expect(share, "the share that is refused").toBeGreaterThan(0.01);
  expect(share, "the share that is refused").toBeLessThan(0.999);
}

describe("a crafted stored conversion", () => {
  const folder = join(root, "work");
  const manifest = join(folder, "conversion.json");
  let text = "";
  beforeAll(async () => {
    const conversion = lutnn.convert(tinyNetwork(), { layers: ["c2", "hidden"] });
    await conversion.calibrate(tinyData(60), { method: "kmeans" });
    await conversion.calibrate(tinyData(60), { method: "maddness" });
    await conversion.replace("c2", { method: "kmeans" });
    await conversion.replace("hidden");
    await conversion.store(folder);
    text = readFileSync(manifest, "utf8");
  });

  it("is opened and goes to each of its states, or is refused", async () => {
    const value = JSON.parse(text);
    await fuzz(60, async (seed) => {
      // Of the states, which hold most of it, of the network's own description, or of its weights.
      const part = (["topology", "states", "dense"] as const)[seed % 3];
      const made =
        part === "topology"
          ? JSON.stringify(mutatedJson(JSON.parse(value.topology), seed))
          : mutatedJson(value[part], seed);
      const { [part]: _left, ...rest } = value;
      writeFileSync(manifest, `${JSON.stringify(rest).slice(0, -1)},"${part}":${made || null}}`);
      const before = lutnn.tf.memory().numTensors;
      const opened = await lutnn.openConversion(folder);
      for (const { id } of opened.states) await opened.goTo(id);
      expect(lutnn.tf.memory().numTensors).toBeGreaterThan(before);
      opened.original.dispose();
    });
    writeFileSync(manifest, text);
  });

  it("whose arrays are exchanged for each other's is refused", async () => {
    const names = readdirSync(join(folder, "arrays"));
    const other = join(root, "exchanged");
    mkdirSync(join(other, "arrays"), { recursive: true });
    for (const [i, name] of names.entries())
      writeFileSync(
        join(other, "arrays", name),
        readFileSync(join(folder, "arrays", names[(i + 1) % names.length])),
      );
    writeFileSync(join(other, "conversion.json"), text);
    await expect(lutnn.openConversion(other)).rejects.toThrow(/must hold what its name says/);
  });
});
