import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { kindOf } from "./kinds/index";
import { replaceFault } from "./linearOperator";
import type { LookupConfig, LookupLayer } from "./lookupLayer";
import { MaddnessLayer } from "./maddnessLayer";

function checkReplaceable(dense: tf.layers.Layer): void {
  const fault = replaceFault(dense);
  if (fault !== null) throw new LutnnError(fault);
}

/**
 * The lookup twin of a dense layer under a name, not built yet: apply it where the dense layer stands, then set its
 * arrays. Throws LutnnError on a layer that cannot be replaced.
 */
export function makeLookup(dense: tf.layers.Layer, name: string, lookup: LookupConfig): LookupLayer {
  checkReplaceable(dense);
  return new (kindOf(dense)!.lookupTwin!)({ ...dense.getConfig(), name, lookup: { ...lookup } });
}

/** The same for Maddness: its tables are to be set before it is applied to numbers. */
export function makeMaddness(dense: tf.layers.Layer, name: string): MaddnessLayer {
  checkReplaceable(dense);
  return new MaddnessLayer({ ...dense.getConfig(), name, denseClass: dense.getClassName() });
}
