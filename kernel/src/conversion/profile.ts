import type { TableScaleMode } from "../pq/lookupTable";
import type { SoftDistance } from "../pq/softPq";

/** Every choice in which the two profiles differ. */
export interface Profile {
  name: "paper" | "plus";
  distance: SoftDistance;
  tableScale: TableScaleMode;
  fineTune: {
    learningRate: number;
    /** Of θ, the logit of the inverse temperature. */
    temperatureLearningRate: number;
    /** Weight of the distillation from the dense network; 0 trains on the labels alone. */
    distillation: number;
    distillationTemperature: number;
  };
}

/** `paper`: as published and released. `plus`: what measured better on small real data. */
export const profiles: Record<Profile["name"], Profile> = {
  paper: {
    name: "paper",
    distance: "l2",
    tableScale: "layer",
    fineTune: {
      learningRate: 1e-3,
      temperatureLearningRate: 0.1,
      distillation: 0,
      distillationTemperature: 4,
    },
  },
  plus: {
    name: "plus",
    distance: "l2",
    tableScale: "output",
    fineTune: {
      learningRate: 3e-3,
      temperatureLearningRate: 0.1,
      distillation: 1,
      distillationTemperature: 4,
    },
  },
};
