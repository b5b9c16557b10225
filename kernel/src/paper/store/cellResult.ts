import { z } from "zod";
import { LutnnError } from "../../errors";

/** Where, with what and how long a cell ran. */
const provenance = z.object({
  /** "AMD EPYC …, 2 cores, 23.4 GiB, linux-x64". */
  machine: z.string(),
  /** By name: lutnn, node, TensorFlow, … */
  versions: z.record(z.string(), z.string()),
  seeds: z.array(z.number()),
  /** ISO date and time when the last run began. */
  started: z.string(),
  /** Of the last run. */
  seconds: z.number(),
  /** How many times the cell was taken up: 1 when nothing interrupted it. */
  runs: z.number(),
});

const result = z.object({
  key: z.string(),
  /** All its parameters. */
  cell: z.record(z.string(), z.json()),
  /** Measured numbers by name; null where one could not be measured, for a reason in `notes`. */
  figures: z.record(z.string(), z.number().nullable()),
  /** Measured curves by name. */
  series: z.record(z.string(), z.array(z.number().nullable())),
  /** Why a figure is null, by its name, and other remarks. */
  notes: z.record(z.string(), z.string()),
  provenance,
});

export type Provenance = z.infer<typeof provenance>;
export type CellResult = z.infer<typeof result>;
/** What a cell's work gives. */
export type Measured = Pick<CellResult, "figures"> & Partial<Pick<CellResult, "series" | "notes">>;

/** A result as it was written. Throws LutnnError on anything else. */
export function parseResult(text: string, path: string): CellResult {
  try {
    return result.parse(JSON.parse(text));
  } catch (error) {
    throw new LutnnError(
      `cell: ${path} must hold a cell's result (it does not: ${(error as Error).message.split("\n")[0]}); delete its folder and run the cell again`,
    );
  }
}
