import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { seededRandom } from "../../../kernel/lib/pq/random";

/** Kills in each stage, and what their moments follow from; npm run check:kills has more of them. */
const kills = Number(process.env.LUTNN_KILLS ?? 15);
const seed = Number(process.env.LUTNN_KILLS_SEED ?? 11);
const folder = mkdtempSync(join(tmpdir(), "lutnn-resume-"));
const script = join(import.meta.dirname, "killableRun.mjs");

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the script; kills it `after` milliseconds from its "ready". Returns the hash, or null when killed. */
function run(name: string, stage: string, after?: number): Promise<string | null> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [script, join(folder, name), stage]);
    let output = "";
    let problems = "";
    let timer: NodeJS.Timeout | undefined;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (after === undefined || !text.includes("ready")) return;
      clearTimeout(timer);
      timer = setTimeout(() => child.kill("SIGKILL"), after);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      problems += text;
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const hash = /^[0-9a-f]{64}$/m.exec(output)?.[0] ?? null;
      if (code !== 0 && signal !== "SIGKILL") failed(new Error(`the run ended with ${code}: ${problems}`));
      else done(hash);
    });
  });
}

describe("a run that is killed at any moment", () => {
  it.each(["dense", "lookup"])(
    "ends, taken up again, with the very bytes of an uninterrupted one (%s)",
    async (stage) => {
      const whole = await run(`whole-${stage}`, stage);
      expect(whole).toMatch(/^[0-9a-f]{64}$/);
      const random = seededRandom(seed, stage);
      let killed = 0;
      let finished = 0;
      for (let round = 0; killed < kills; round++) {
        const name = `${stage}-${finished}`;
        const hash = await run(name, stage, 30 + 600 * random());
        if (hash === null) killed++;
        else {
          expect(hash).toBe(whole); // it came through between two kills: the next one begins anew
          finished++;
        }
        expect(round).toBeLessThan(13 * kills);
      }
      expect(await run(`${stage}-${finished}`, stage)).toBe(whole);
      expect(existsSync(join(folder, `${stage}-${finished}`))).toBe(true);
      const files = readdirSync(join(folder, `${stage}-${finished}`));
      expect(files.filter((file) => file.startsWith("checkpoint-"))).toHaveLength(2);
      expect(files.filter((file) => file.endsWith(".part"))).toEqual([]);
    },
    100_000 + kills * 20_000,
  );
});
