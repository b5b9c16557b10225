import type { Evaluation } from "../../../training/evaluate";
import type { Measured } from "../../store/cellResult";

/** The figures of an evaluation: the task's metric under its name and as `metric`, its noise, the loss, the examples. */
export function figuresOf({ metric, loss, size }: Evaluation): Measured["figures"] {
  return { metric: metric.value, [metric.name]: metric.value, noise: metric.noise, loss, examples: size };
}
