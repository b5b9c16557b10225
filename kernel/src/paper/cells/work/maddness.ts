import { profiles } from "../../../conversion/profile";
import type { Work } from "../kind";
import { prepareConversion } from "./conversion";
import { drawnExamples } from "./data";
import { work as denseWork } from "./dense";
import { figuresOf } from "./figures";

/** Replaces a trained network's layers by Maddness, the paper's baseline, which is fitted and not trained. */
export const work: Work<"maddness"> = {
  whyNot: (cell) => denseWork.whyNot(cell.dense),
  run: async (cell, place) => {
    const { calibration, seed, form } = cell;
    const { conversion, train, test, dispose } = await prepareConversion(cell.dense, profiles.paper, place);
    const { signal } = place;
    try {
      const method = form === "fast" ? "maddnessFast" : "maddness";
      const examples = drawnExamples(train, calibration, seed, "calibration");
      await conversion.calibrate(examples, { method, seed, signal });
      await conversion.replaceAll({ method, signal });
      return { figures: figuresOf(await conversion.evaluate(test, { signal })) };
    } finally {
      dispose();
    }
  },
};
