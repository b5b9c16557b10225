import type { ExampleSource } from "../../datasets/examples";
import { checkFeeds } from "../../datasets/feeds";
import { InputsOnly } from "../../datasets/inputsOnly";
import type { NetworkGraph } from "../../layers/graph";
import { sampleIndices, seededRandom } from "../../pq/random";
import { withPaddingMask } from "../paddingMask";
import { enough } from "./remainderReport";

/** Examples whose values ranges are chosen by, and others on which the effect is measured. */
const forRanges = 128;
const forEffect = 256;

/** Which examples a remainder in INT8 is made from. */
export interface RemainderExamples {
  readonly name: string;
  readonly ranges: ExampleSource;
  readonly effect: ExampleSource;
  /** Whether these are others than those. */
  readonly apart: boolean;
}

/** Examples spread evenly over some data, always the same. Throws LutnnError where they do not fit the network. */
export async function chooseExamples(
  what: string,
  graph: NetworkGraph,
  data: ExampleSource,
  signal: AbortSignal,
): Promise<RemainderExamples> {
  const inputs = new InputsOnly(data);
  checkFeeds(what, graph.inputs, inputs);
  const random = seededRandom(0, "remainder");
  const chosen = sampleIndices(data.size, forRanges + forEffect, random);
  const all = withPaddingMask(graph, inputs.select(chosen));
  await all.checkValues(what, signal);
  const { name } = data;
  if (chosen.length < enough) return { name, ranges: all, effect: all, apart: false };
  const every = (forRanges + forEffect) / forRanges;
  const places = [...chosen.keys()];
  return {
    name,
    ranges: all.select(places.filter((i) => i % every === 0)),
    effect: all.select(places.filter((i) => i % every !== 0)),
    apart: true,
  };
}
