import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const program = join(import.meta.dirname, "../../../kernel/bin/lutnn.js");

export const temporary = (name: string): string => mkdtempSync(join(tmpdir(), `lutnn-${name}-`));

export const denseCell = (seed = 0) => ({
  kind: "dense",
  data: { set: "digits", transforms: "plus", train: 200, test: 100, seed: 0 },
  network: { kind: "resnet8", width: 4 },
  training: {
    epochs: 1,
    batchSize: 64,
    learningRate: 0.003,
    algorithm: "adam",
    schedule: "cosine",
    weightDecay: 0,
  },
  seed,
});

export const rehearsal = (of: object, steps: number, pace: number) => ({
  kind: "rehearsal",
  of,
  steps,
  pace,
});

/** `lutnn cell run` of a cell in a store; `ended` has its exit code, its signal and what it said. */
export function startCell(folder: string, cell: object, more: string[] = []) {
  const spec = join(folder, `spec-${Math.random().toString(36).slice(2)}.json`);
  writeFileSync(spec, JSON.stringify(cell));
  const words = [program, "cell", "run", "--spec", spec, "--dir", join(folder, "store"), ...more];
  const child = spawn(process.execPath, words, {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { child, ended: endOf(child) };
}

export interface End {
  code: number | null;
  signal: string | null;
  out: string;
  errors: string;
}

export function endOf(child: ChildProcess): Promise<End> {
  let [out, errors] = ["", ""];
  child.stdout?.on("data", (part) => {
    out += part;
  });
  child.stderr?.on("data", (part) => {
    errors += part;
  });
  return new Promise((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal, out, errors })),
  );
}

/** Waits until a condition holds, looking again and again; the test's own limit ends it. */
export async function until<T>(look: () => T | null | undefined | false): Promise<T> {
  for (;;) {
    const found = look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Names in a cell's folder, or none. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What a rehearsed cell's checkpoint says, or null. */
export function stepIn(cellFolder: string): number | null {
  const work = namesIn(cellFolder)
    .filter((name) => name.startsWith("work."))
    .sort()
    .at(-1);
  try {
    return Number(readFileSync(join(cellFolder, work ?? "", "scratch/step.json"), "utf8"));
  } catch {
    return null;
  }
}
