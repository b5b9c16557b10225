import { existsSync } from "node:fs";
import { appendFile, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-node";
import { fileError } from "../files/fileError";
import { makeFolder } from "../files/makeFolder";
import { readFileWhole } from "../files/readFile";
import { writeFileWhole } from "../files/writeFile";
import type { Metric } from "../tasks/task";
import type { SavedFigures } from "./position";

/** One line of metrics.jsonl. */
export type MetricsLine = { step: number; epoch: number } & Record<string, number>;

/** "mean absolute error" → "meanAbsoluteError" */
const camelCase = (name: string) =>
  name.replace(/[^A-Za-z0-9]+(.)/g, (_, letter: string) => letter.toUpperCase());

/** The figures of an epoch under the names of the log: the task's metric under its own. */
export function metricsLine(step: number, figures: SavedFigures, metric: Metric): MetricsLine {
  const { epoch, loss, validation } = figures;
  const name = camelCase(metric.name);
  const held = validation && {
    validationLoss: validation.loss,
    [camelCase(`validation ${metric.name}`)]: validation.metric.value,
  };
  return { step, epoch, loss, [name]: figures.metric, ...held };
}

/**
 * Figures of a run as JSON lines (`metrics.jsonl`) and as TensorBoard event files, in one folder. Lines that a killed
 * run wrote after the checkpoint from which it goes on are dropped, so that every step stands there once. Throws
 * LutnnError where the folder or a file cannot be written.
 */
export class MetricsLog {
  private readonly path: string;
  private writer?: ReturnType<typeof tf.node.summaryFileWriter>;

  constructor(readonly folder: string) {
    this.path = join(folder, "metrics.jsonl");
  }

  /** Begins, or goes on after `step`. */
  async open(step: number): Promise<void> {
    try {
      await makeFolder(this.folder);
      if (existsSync(this.path)) {
        const lines = (await readFileWhole(this.path, "log")).toString("utf8").split("\n");
        const earlier = lines.filter((line) => isBefore(line, step));
        await writeFileWhole(this.path, earlier.map((line) => `${line}\n`).join(""), "log");
      }
      this.writer = tf.node.summaryFileWriter(this.folder);
    } catch (error) {
      await removeEmptyEvents(this.folder).catch(() => undefined); // the first error says more
      throw fileError("log", this.folder, error);
    }
  }

  async add(line: MetricsLine): Promise<void> {
    try {
      await appendFile(this.path, `${JSON.stringify(line)}\n`);
      for (const [name, value] of Object.entries(line))
        if (name !== "step") this.writer?.scalar(name, value, line.step);
      this.writer?.flush();
    } catch (error) {
      throw fileError("log", this.path, error);
    }
  }
}

/** Removes what TensorFlow makes before it finds that it cannot write. */
async function removeEmptyEvents(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.startsWith("events.out.tfevents.") && (await stat(path)).size === 0) await rm(path);
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
