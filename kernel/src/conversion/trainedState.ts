import { methods } from "./methods/index";
import type { Student } from "./methods/method";
import { type ConversionState, type Origin, replacedLayers } from "./state";
import { weightsOf } from "./storedArray";
import { type Surroundings, trained } from "./transitions";

/** The state of a network that training has changed in place. */
export function trainedState(
  before: ConversionState,
  { layers }: Student,
  training: Origin,
  around: Surroundings,
): ConversionState {
  const placed = replacedLayers(before);
  const others = [...layers].filter(([name, layer]) => !placed.includes(name) && layer.weights.length > 0);
  const weights = Object.fromEntries(others.map(([name, layer]) => [name, weightsOf(layer)]));
  const arrays = Object.fromEntries(
    placed.map((name) => [name, methods[before.layers[name].replacedBy!].read(layers.get(name)!)]),
  );
  return trained(before, weights, arrays, training, around);
}
