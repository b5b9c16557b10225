import { bertLayers } from "../../../models/bert/bert";
import { evaluate } from "../../../training/evaluate";
import { fit } from "../../../training/fit";
import type { CellOf } from "../cell";
import type { Work } from "../kind";
import { dataMissing, loadData } from "./data";
import { encoderMissing } from "./encoderFolder";
import { figuresOf } from "./figures";
import { buildNetwork, keepNetwork, learnOnly } from "./network";
import { trainingOptions } from "./training";

/** Trains a dense network; its weights stay for the cells that start from it. */
export const work: Work<"dense"> = {
  whyNot: ({ data, network }) =>
    dataMissing(data) ?? (network.kind === "encoder" ? encoderMissing(network.weights) : null),
  run: async (cell: CellOf<"dense">, place) => {
    const { signal, kept } = place;
    const { train, test } = await loadData(cell, signal);
    const { network } = cell;
    const dropout = network.kind === "encoder" ? network.dropout : 0;
    const { model, fresh } = await buildNetwork(cell, train, signal, dropout);
    try {
      const { head, training, seed } = cell;
      if (head) {
        learnOnly(model, fresh);
        const { learningRate } = head;
        await fit(model, train, { ...trainingOptions(head, seed, place, "head"), learningRate });
      }
      // An encoder learns whole, as for GLUE, whichever of its layers are replaced later.
      if (network.kind === "encoder") learnOnly(model, [...fresh, ...bertLayers(model)]);
      const { learningRate } = training;
      const history = await fit(model, train, {
        ...trainingOptions(training, seed, place, "training"),
        learningRate,
      });
      const evaluation = await evaluate(model, test, { signal });
      await keepNetwork(model, kept);
      const losses = history.epochs.map(({ loss }) => loss);
      return { figures: figuresOf(evaluation), series: { loss: losses } };
    } finally {
      model.dispose();
    }
  },
};
