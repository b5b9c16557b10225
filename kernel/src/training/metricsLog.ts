import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-node";
import { writeFileWhole } from "../files/writeFile";

/** One line of metrics.jsonl. */
export type MetricsLine = { step: number; epoch: number } & Record<string, number>;

/**
 * Figures of a run as JSON lines (`metrics.jsonl`) and as TensorBoard event files, in one folder. Lines that a killed
 * run wrote after the checkpoint from which it goes on are dropped, so that every step stands there once.
 */
export class MetricsLog {
  private readonly path: string;
  private writer?: ReturnType<typeof tf.node.summaryFileWriter>;

  constructor(readonly folder: string) {
    this.path = join(folder, "metrics.jsonl");
  }

  /** Begins, or goes on after `step`. */
  async open(step: number): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    if (existsSync(this.path)) {
      const lines = (await readFile(this.path, "utf8")).split("\n");
      const earlier = lines.filter((line) => isBefore(line, step));
      await writeFileWhole(this.path, earlier.map((line) => `${line}\n`).join(""));
    }
    this.writer = tf.node.summaryFileWriter(this.folder);
  }

  async add(line: MetricsLine): Promise<void> {
    await appendFile(this.path, `${JSON.stringify(line)}\n`);
    for (const [name, value] of Object.entries(line))
      if (name !== "step") this.writer?.scalar(name, value, line.step);
    this.writer?.flush();
  }
}

/** Whether a line is whole and not later than a step; the last line of a killed run can be cut off. */
function isBefore(line: string, step: number): boolean {
  try {
    return (JSON.parse(line) as MetricsLine).step <= step;
  } catch {
    return false;
  }
}
