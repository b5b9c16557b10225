import { z } from "zod";
import { LutnnError } from "../../errors";
import { keyOf } from "../../files/canonicalJson";

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
  /** Digest of what it has kept beside its result, where it has kept anything. */
  kept: z.string().optional(),
  /** By key, the digests of what the cells that it started from had kept. */
  needs: z.record(z.string(), z.string()).default({}),
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

/** A result as it was written. Throws LutnnError on anything else, and where its key is not that of its parameters. */
export function parseResult(text: string, path: string): CellResult {
  const fault = (rule: string): LutnnError =>
    new LutnnError(
      `cell: ${path} must hold a cell's result (it does not: ${rule}); delete its folder and run the cell again`,
    );
  let parsed: CellResult;
  try {
    parsed = result.parse(JSON.parse(text));
  } catch (error) {
    throw fault((error as Error).message.split("\n")[0]);
  }
  const key = keyOf(parsed.cell);
  if (parsed.key !== key) throw fault(`its key is ${parsed.key}, that of its parameters ${key}`);
  return parsed;
}

/** True where a result started from what the cells that it needs have now: of another one's it says nothing. */
export const startedFrom = ({ provenance }: CellResult, needs: readonly CellResult[]): boolean =>
  needs.every(({ key, provenance: { kept } }) => provenance.needs[key] === kept);
