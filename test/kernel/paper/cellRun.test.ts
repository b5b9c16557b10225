import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { paper } from "lutnn";
import { describe, expect, it } from "vitest";
import { denseCell, endOf, namesIn, program, rehearsal, startCell, stepIn, temporary, until } from "./cells";

const folderOf = (folder: string, cell: object) =>
  new paper.CellStore(join(folder, "store")).folderOf(cell as paper.Parameters);

describe("lutnn cell run", () => {
  it("trains a dense network, then does nothing a second time", async () => {
    const folder = temporary("cell");
    const first = await startCell(folder, denseCell()).ended;
    expect(first.code).toBe(0);
    expect(first.out).toMatch(/^[0-9a-f]{32}: metric [\d.]+, accuracy .*run 1\n$/);
    const again = await startCell(folder, denseCell(), ["--output", join(folder, "copy.json")]).ended;
    expect(again.out).toBe(first.out);
    expect(namesIn(folder)).toContain("copy.json");
  });

  it("refuses parameters that it does not know or that are missing, by their names", async () => {
    const folder = temporary("cell");
    const { data: _data, ...less } = denseCell();
    for (const [cell, said] of [
      [{ ...denseCell(), speed: 9 }, /Unrecognized key: "speed"/],
      [less, /\(data: /],
      [{ kind: "magic" }, /kind/],
    ] as const) {
      const { code, errors } = await startCell(folder, cell).ended;
      expect([code, errors]).toEqual([1, expect.stringMatching(said)]);
    }
  });

  it("learns by native loops, though its process never passes the library's door", () => {
    const script = `require("./lib/paper/cells/work/lookup.js");
      console.log(require("./lib/pq/acceleration.js").accelerated("kMeans") ? "native" : "plain loops")`;
    const cwd = join(import.meta.dirname, "../../../kernel");
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], { cwd, encoding: "utf8" });
    expect(stdout, stderr).toBe("native\n");
  });

  it("says which cell must be done first", async () => {
    const folder = temporary("cell");
    const cell = { kind: "maddness", dense: denseCell(), form: "fast", calibration: 32, seed: 0 };
    const { code, errors } = await startCell(folder, cell).ended;
    expect([code, errors]).toEqual([1, expect.stringMatching(/the dense network must be trained first/)]);
  });

  it("goes on after a kill where it was", async () => {
    const folder = temporary("cell");
    const cell = rehearsal(denseCell(), 12, 100);
    const place = folderOf(folder, cell);
    const { child, ended } = startCell(folder, cell);
    await until(() => (stepIn(place) ?? 0) >= 2);
    child.kill("SIGKILL");
    await ended;
    const before = stepIn(place)!;
    const begin = performance.now();
    const again = startCell(folder, cell);
    const steps: number[] = [];
    await until(() => {
      const step = stepIn(place);
      if (step !== null) steps.push(step);
      return namesIn(place).some((name) => name.startsWith("done"));
    });
    expect((await again.ended).out).toMatch(/run 2\n$/);
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(before);
    expect(performance.now() - begin).toBeGreaterThan(100 * (12 - before - 1));
  });

  it("lets the cell go when it is interrupted, with a sentence", async () => {
    const folder = temporary("cell");
    const cell = rehearsal(denseCell(), 1000, 50);
    const place = folderOf(folder, cell);
    const { child, ended } = startCell(folder, cell);
    await until(() => stepIn(place));
    child.kill("SIGTERM");
    const { code, errors } = await ended;
    expect([code, errors]).toEqual([1, "lutnn cell run: interrupted by SIGTERM; the same command goes on\n"]);
    expect(namesIn(place)).toContain("lease.1.free");
  });

  it("waits for another process, and takes over at once when that is killed", async () => {
    const folder = temporary("cell");
    const cell = rehearsal(denseCell(), 8, 200);
    const place = folderOf(folder, cell);
    const first = startCell(folder, cell);
    await until(() => stepIn(place));
    const second = startCell(folder, cell);
    await until(() => namesIn(place).some((name) => name.includes(`-${first.child.pid}-`)));
    await new Promise<void>((resolve) => second.child.stderr!.once("data", () => resolve()));
    first.child.kill("SIGKILL");
    const { out, errors } = await second.ended;
    expect(errors).toMatch(new RegExp(`process ${first.child.pid} .* works on it; waiting`));
    expect(out).toMatch(/run 2\n$/);
  });

  it("ends a holder that was stopped, woke up and finds its cell taken over", async () => {
    const folder = temporary("cell");
    const cell = rehearsal(denseCell(), 20, 100);
    const place = folderOf(folder, cell);
    const sleeper = startCell(folder, cell, ["--stale", "1"]);
    await until(() => stepIn(place));
    sleeper.child.kill("SIGSTOP");
    const second = startCell(folder, cell, ["--stale", "1"]);
    await until(() => namesIn(place).some((name) => name.startsWith("lease.2.")));
    sleeper.child.kill("SIGCONT");
    const woken = await sleeper.ended;
    expect([woken.code, woken.errors]).toEqual([1, expect.stringMatching(/must not have taken over/)]);
    expect((await second.ended).out).toMatch(/run 2\n$/);
    expect(namesIn(place).filter((name) => /^(done|lease)/.test(name))).toEqual(["done.2"]);
  });

  it("ends when its parent dies", async () => {
    const folder = temporary("cell");
    const cell = rehearsal(denseCell(), 1000, 50);
    const place = folderOf(folder, cell);
    const spec = join(folder, "spec.json");
    writeFileSync(spec, JSON.stringify(cell));
    const words = JSON.stringify([program, "cell", "run", "--spec", spec, "--dir", join(folder, "store")]);
    const parent = spawn(process.execPath, [
      "-e",
      `require("node:child_process").spawn(process.execPath, ${words}, { stdio: "ignore" }); setInterval(() => {}, 1000);`,
    ]);
    const ended = endOf(parent);
    await until(() => stepIn(place));
    parent.kill("SIGKILL");
    await ended;
    await until(() => namesIn(place).includes("lease.1.free"));
  });
});
