import type { Profile } from "../../../conversion/profile";
import type { Work } from "../kind";
import { prepareConversion } from "./conversion";
import { drawnExamples } from "./data";
import { work as denseWork } from "./dense";

/** Accuracy and error after each layer, as one method's lookups replace a network from its input on. */
export const work: Work<"accumulation"> = {
  whyNot: (cell) => denseWork.whyNot(cell.dense),
  run: async (cell, place) => {
    const { calibration, method, seed, profile } = cell;
    const { conversion, train, test, dispose } = await prepareConversion(
      cell.dense,
      profile as Profile,
      place,
    );
    const { signal } = place;
    try {
      await conversion.calibrate(drawnExamples(train, calibration, seed, "calibration"), {
        method,
        seed,
        signal,
      });
      await conversion.replaceAll({ method, signal });
      const examples = drawnExamples(test, cell.test, seed, "accumulation");
      const { report } = await conversion.errorAccumulation(examples, { signal });
      const [{ errors, metric }] = report.series;
      return {
        figures: { layers: errors.length, metric, examples: examples.size },
        series: {
          metric: errors.map((one) => one.metric),
          error: errors.map(({ accumulated }) => accumulated?.relative ?? null),
        },
      };
    } finally {
      dispose();
    }
  },
};
