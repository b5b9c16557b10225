import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Conversion } from "../../../conversion/conversion";
import { openConversion } from "../../../conversion/openConversion";
import type { Profile } from "../../../conversion/profile";
import type { Work } from "../kind";
import { prepareConversion } from "./conversion";
import { drawnExamples } from "./data";
import { work as denseWork } from "./dense";
import { figuresOf } from "./figures";
import { trainingOptions } from "./training";

const calibratedName = "calibrated";

/** Stores a calibration under its name once it is whole: a run that is interrupted behind it goes on from there. */
async function keepCalibrated(conversion: Conversion, folder: string, signal: AbortSignal): Promise<void> {
  const aside = `${folder}.part`;
  await rm(aside, { recursive: true, force: true });
  await conversion.store(aside, { signal });
  await rename(aside, folder);
}

/** The ends of the encoder layers that some layers belong to: `encoder5/norm` of `encoder5/query`. */
const encodersOf = (names: readonly string[]): string[] => [
  ...new Set(names.map((name) => `${name.split("/")[0]}/norm`)),
];

/** Replaces a trained network's layers by lookups, of any profile, and trains them. */
export const work: Work<"lookup"> = {
  whyNot: (cell) => denseWork.whyNot(cell.dense),
  run: async (cell, place) => {
    const { scratch, signal } = place;
    const { profile, calibration, training, seed, centroids } = cell;
    const prepared = await prepareConversion(cell.dense, profile as Profile, place, centroids);
    try {
      const folder = join(scratch, calibratedName);
      let { conversion } = prepared;
      if (existsSync(folder)) conversion = await openConversion(folder);
      else {
        const examples = drawnExamples(prepared.train, calibration, seed, "calibration");
        await conversion.calibrate(examples, { seed, signal });
        await conversion.replaceAll({ signal });
        if (training) await keepCalibrated(conversion, folder, signal);
      }
      const before = await conversion.evaluate(prepared.test, { signal });
      if (training) {
        const { learningRate } = profile.fineTune;
        await conversion.fineTune(prepared.train, {
          ...trainingOptions(training, seed, place, "training"),
          learningRate,
          ...(cell.hiddenStates && { hiddenStates: { layers: encodersOf(conversion.layers.names) } }),
        });
      }
      const after = training ? await conversion.evaluate(prepared.test, { signal }) : before;
      const { dense: was, lookup: is } = conversion.layers.network;
      return {
        figures: {
          ...figuresOf(after),
          calibrated: before.metric.value,
          operationsRatio: was.operations / is.operations,
          bytesRatio: was.bytes / is.bytes,
        },
      };
    } finally {
      prepared.dispose();
    }
  },
};
