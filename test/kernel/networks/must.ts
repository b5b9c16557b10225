import type { tf } from "lutnn";
import { describeNetwork } from "./describeNetwork";

/** Fails with what was wrong and the network. */
export function must(holds: boolean, what: string, model: tf.LayersModel): asserts holds {
  if (!holds) throw new Error(`${what}\n${describeNetwork(model)}`);
}
