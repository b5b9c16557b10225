import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { formatSeconds, Progress } from "../host/progress";
import type { EngineEvent } from "../paper/engine/local";
import type { Job } from "../paper/engine/plan";
import type { Scale } from "../paper/tables/choices";
import { UsageError } from "./usageError";

export interface ReproduceCommandOptions {
  scale: string;
  quick?: boolean;
  engine: string;
  cores?: string;
  jobs: string;
  seeds: string;
  epochs: string;
  out: string;
  store?: string;
  results?: string;
}

const scales: readonly Scale[] = ["small", "paper", "rehearsal"];
const engines = ["local", "none", "snakemake"] as const;

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new UsageError(`reproduce: ${option} must be a whole number from 1 (got ${text})`);
}

function oneOf<T extends string>(option: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UsageError(`reproduce: ${option} must be one of ${known.join(", ")} (got ${text})`);
}

/** The choices of tables that a call makes, and the words that make the same ones again. */
export function readChoices(table: string, options: ReproduceCommandOptions) {
  const scale = oneOf("--scale", options.scale, scales);
  const seeds = wholeNumber("--seeds", options.seeds);
  const [denseEpochs, lookupEpochs, ...more] = options.epochs
    .split(",")
    .map((one) => wholeNumber("--epochs", one.trim()));
  if (lookupEpochs === undefined || more.length > 0)
    throw new UsageError(
      `reproduce: --epochs must be two numbers, of the dense network and of the lookups (got ${options.epochs})`,
    );
  const choices = { scale, quick: options.quick ?? false, seeds, denseEpochs, lookupEpochs };
  const words = [
    table,
    `--scale ${scale}`,
    ...(choices.quick ? ["--quick"] : []),
    ...(seeds > 1 ? [`--seeds ${seeds}`] : []),
    ...(scale === "small" && !choices.quick ? [`--epochs ${denseEpochs},${lookupEpochs}`] : []),
  ];
  const given = words.flatMap((word) => word.split(" "));
  return { choices, words: given, command: `npx lutnn reproduce ${words.join(" ")}` };
}

/** Tells on stderr what a run is at: a bar in a terminal, a line for each cell elsewhere. */
class Teller {
  private readonly shares = new Map<string, number>();
  private readonly begin = performance.now();
  private bar: Progress | null = null;
  private total = 0;
  private finished = 0;
  private counts = { done: 0, all: 0 };

  plan = (plan: readonly Job[]): void => {
    const open = plan.filter(({ isDone, whyNot }) => !isDone && whyNot === null);
    const cannot = plan.filter(({ isDone, whyNot }) => !isDone && whyNot !== null);
    this.total = open.reduce((sum, { effort }) => sum + effort, 0);
    this.counts.all = open.length;
    this.bar = new Progress("reproduce", this.total, "");
    const there = plan.length - open.length - cannot.length;
    console.error(
      `${plan.length} cells: ${there} here from before, ${open.length} to run (about ${formatSeconds(this.total)} on two free cores), ${cannot.length} cannot be run here`,
    );
    for (const reason of new Set(cannot.map(({ whyNot }) => whyNot))) console.error(`cannot: ${reason}`);
  };

  event = (event: EngineEvent): void => {
    const { job } = event;
    if (event.kind === "start") this.shares.set(job.key, 0);
    if (event.kind === "progress") this.shares.set(job.key, event.share);
    if (event.kind === "done" || event.kind === "failed") {
      this.shares.delete(job.key);
      this.finished += job.effort;
      this.counts.done++;
    }
    const partly = [...this.shares.values()].reduce((sum, share) => sum + share, 0);
    const running = this.shares.size > 0 ? (partly / this.shares.size) * job.effort : 0;
    this.bar?.update(Math.min(this.total, this.finished + running), {
      cells: `${this.counts.done}/${this.counts.all}`,
      now: event.kind === "progress" ? event.line : job.title,
    });
    const line = sentence(event);
    if (line && (!process.stderr.isTTY || event.kind !== "done"))
      console.error(`${line} (${this.counts.done} of ${this.counts.all}, ${this.left()})`);
  };

  private left(): string {
    const seconds = (performance.now() - this.begin) / 1000;
    if (this.finished === 0) return "time left not known yet";
    return `about ${formatSeconds((seconds * (this.total - this.finished)) / this.finished)} left`;
  }

  end(): void {
    this.bar?.end();
  }
}

function sentence(event: EngineEvent): string | null {
  const { title } = event.job;
  switch (event.kind) {
    case "done":
      return `done: ${title}`;
    case "failed":
      return `failed: ${title}: ${event.reason}`;
    case "again":
      return `killed (${event.signal}), goes on: ${title}`;
    case "waiting":
      return `waiting: ${title}: ${event.sentence}`;
    default:
      return null;
  }
}

/** What to do with a workflow that was written. */
const howToStart = (folder: string, cells: number): string =>
  `Written to ${folder}: ${cells} cells. With Snakemake 9 (pip install snakemake), on this machine:

  snakemake --directory ${folder} --snakefile ${folder}/Snakefile --workflow-profile ${folder}/profiles/local

profiles/slurm and profiles/kubernetes start them there (plugins snakemake-executor-plugin-slurm and …-kubernetes). After a
crash of Snakemake itself the same command with --unlock, and then as before; no cell is lost or done twice.`;

/** Runs what is missing of a table or of all, prints them, and writes them with one page; answers with how it ended. */
export async function reproduceTables(table: string, options: ReproduceCommandOptions): Promise<number> {
  const { choices, words, command } = readChoices(table, options);
  const engine = oneOf("--engine", options.engine, engines);
  const cores = options.cores === undefined ? availableParallelism() : wholeNumber("--cores", options.cores);
  const jobs = wholeNumber("--jobs", options.jobs);
  const { paper, LutnnError } = await import("../index.js");
  if (table !== "all" && !(paper.tableNames as string[]).includes(table))
    throw new UsageError(
      `reproduce: the table must be one of ${paper.tableNames.join(", ")}, or all (got ${table})`,
    );
  const store = options.store ?? join(options.out, "cells");
  if (engine === "snakemake") {
    const [place, out] = [join(options.out, "workflow"), resolve(options.out)];
    const report = ["reproduce", ...words, "--engine", "none", "--out", out, "--store", resolve(store)];
    const cells = new paper.CellStore(store);
    if (options.results !== undefined) await cells.adoptAll(options.results);
    const plan = await paper.makePlan(paper.specsOf(table, choices), cells);
    const count = await paper.writeWorkflow(plan, place, { store: cells, threads: cores, report });
    console.log(howToStart(place, count));
    return 0;
  }
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () =>
      controller.abort(
        new LutnnError(`reproduce: interrupted by ${name}; what is done is kept, the same command goes on`),
      ),
    );
  const teller = new Teller();
  let hasFailed = false;
  const filled = await paper.reproduce(table, {
    ...choices,
    engine,
    cores,
    jobs,
    command,
    store,
    results: options.results,
    onPlan: teller.plan,
    onEvent: (event) => {
      hasFailed ||= event.kind === "failed";
      teller.event(event);
    },
    signal: controller.signal,
  });
  teller.end();
  await paper.writeTables(filled, options.out, `The tables of LUT-NN, ${choices.scale} scale`);
  for (const one of filled) console.log(`${paper.toText(one)}\n`);
  console.log(
    `Written to ${join(options.out, "index.html")}, and each table as Markdown, CSV, JSON and SVG.`,
  );
  return hasFailed ? 1 : 0;
}
