import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../kernel/lib/pq/random.js";
import { endOf, namesIn, program, temporary } from "./cells";

/** Kills in all, and what they hit: a running cell, or the engine itself. */
const kills = 8;
const outputs = ["accuracy.csv", "accuracy.json", "accuracy.md", "accuracy.svg", "index.html"];

function reproduce(out: string): ChildProcess {
  const words = [program, "reproduce", "accuracy", "--scale", "rehearsal", "--quick", "--out", out];
  return spawn(process.execPath, [...words, "--cores", "2", "--jobs", "2"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Processes that hold a cell of a store, by the markers' names. */
const holdersIn = (store: string): number[] =>
  namesIn(store).flatMap((key) =>
    namesIn(join(store, key)).flatMap((name) => {
      const [, pid] = /^lease\.\d+\.[0-9a-f]{8}-(\d+)-/.exec(name) ?? [];
      return pid === undefined ? [] : [Number(pid)];
    }),
  );

const read = (out: string) => outputs.map((name) => readFileSync(join(out, name), "utf8"));

describe("the local engine under kills", () => {
  it("loses and doubles no cell, and ends with the same bytes as undisturbed", async () => {
    const [calm, stormy] = [temporary("calm"), temporary("stormy")];
    const undisturbed = await endOf(reproduce(calm));
    expect(undisturbed.code, undisturbed.errors).toBe(0);
    const random = seededRandom(16, "kills");
    let engine = reproduce(stormy);
    let ended = endOf(engine);
    let done = 0;
    while (done < kills) {
      const holders = holdersIn(join(stormy, "cells"));
      if (engine.exitCode !== null) break;
      if (holders.length > 0 && random() < 0.1) {
        done++;
        if (random() < 0.4) {
          engine.kill("SIGKILL");
          await ended;
          engine = reproduce(stormy);
          ended = endOf(engine);
        } else
          try {
            process.kill(holders[Math.floor(random() * holders.length)], "SIGKILL");
          } catch {
            // It ended by itself between the look and the kill.
          }
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const last = await ended;
    expect(last.code, last.errors).toBe(0);
    expect(done).toBeGreaterThan(0);
    expect(read(stormy)).toEqual(read(calm));
    const store = join(stormy, "cells");
    expect(namesIn(store).sort()).toEqual(namesIn(join(calm, "cells")).sort());
    for (const key of namesIn(store)) {
      const states = namesIn(join(store, key)).filter((name) => /^(lease|done)\./.test(name));
      expect(states).toEqual([expect.stringMatching(/^done\.\d+$/)]);
    }
  });
});
