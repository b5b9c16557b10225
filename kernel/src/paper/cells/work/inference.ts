import { LutnnError } from "../../../errors";
import type { Work } from "../kind";
import { benchMissing, benchWords, runBench } from "./bench";

interface Row {
  variant: string;
  medianMs: number;
  spreadMs: number;
  fastestMs: number;
  processorMs: number;
  createMs: number;
  peakBytes: number | null;
  fileBytes: number;
  watts: number | null;
  noWatts: string | null;
}

interface Rows {
  /** The machine and the version of its ONNX Runtime. */
  machine: string;
  /** "ENGINE is left out: why". */
  missing: string[];
  rows: Row[];
}

/**
 * Latency, peak memory and power of one of the paper's networks at its full shape, by lookup and in the engines that there
 * are beside it: a process for each, in turns, pinned. Figures are called VARIANT/FIGURE: `fp32/medianMs`.
 */
export const work: Work<"inference"> = {
  whyNot: () => benchMissing(),
  run: async (cell, { store, signal }) => {
    const { files, threads, batch, rounds, runs } = cell;
    const status = await store.status(files);
    if (status.kind !== "done")
      throw new LutnnError(
        `cell: the files of ${files.network} must be made first (they are not in ${store.folderOf(files)}); run that cell`,
      );
    const network = benchWords(files.network).join("-");
    const numbers = { threads, batch, rounds, runs };
    const words = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const text = await runBench(
      "models.mjs",
      ["--only", network, "--made", status.kept, ...words, "--json"],
      signal,
    );
    const { rows, machine, missing }: Rows = JSON.parse(text);
    const figures: Record<string, number | null> = {};
    const notes: Record<string, string> = { baselines: machine };
    for (const sentence of missing) notes[sentence.split(" ")[0]] = sentence;
    for (const { variant, noWatts, ...row } of rows) {
      for (const [name, value] of Object.entries(row))
        if (typeof value === "number" || value === null) figures[`${variant}/${name}`] = value;
      if (noWatts !== null) notes[`${variant}/watts`] = noWatts;
      if (row.peakBytes === null) notes[`${variant}/peakBytes`] = "this system has no mark of peak memory";
    }
    return { figures, notes };
  },
};
