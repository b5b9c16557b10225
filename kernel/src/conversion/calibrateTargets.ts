import type { ExampleSource } from "../datasets/examples";
import type { NetworkGraph } from "../layers/graph";
import { linearOperator } from "../layers/linearOperator";
import type { Method, Student } from "./methods/method";
import type { Profile } from "./profile";
import type { SharedCodebook } from "./sharedCodebooks";
import type { Calibration, ConversionState } from "./state";
import type { StudentMaker } from "./student";
import type { Target } from "./targets";

export interface TargetCalibration {
  graph: NetworkGraph;
  /** What is to be learnt. */
  targets: Target[];
  /** The reference: a converted and trained network, or the dense one. */
  student: Student | null;
  /** What is in place while the targets are learnt, and the sizes of their lookups. */
  state: ConversionState;
  /** Codebooks of layers that stay in place and share them. */
  codebooks: Map<string, SharedCodebook>;
  maker: StudentMaker;
  method: Method;
  profile: Profile;
  data: ExampleSource;
  seed: number;
  signal: AbortSignal;
}

/** The targets as they are in a trained network: other weights, the same sizes. */
const within = (targets: Target[], student: Student): Target[] =>
  targets.map((target) => {
    const calls = target.calls.map(({ node }) => ({
      node,
      operator: linearOperator({ ...node, layer: student.layerOf(node) }),
    }));
    return { ...target, layer: student.layerOf(calls[0].node), calls, operator: calls[0].operator };
  });

/** Learns lookups by a method; with what the user should know about the data. */
export async function calibrateTargets(
  given: TargetCalibration,
): Promise<{ found: Map<string, Calibration>; warnings: string[] }> {
  const { graph, student, state, codebooks, maker, method, profile, data, seed, signal } = given;
  const targets = student ? within(given.targets, student) : given.targets;
  const names = targets.map(({ name }) => name);
  const learnt = await method.calibrate({
    graph,
    reference: student?.layerOf ?? ((node) => node.layer),
    targets,
    data,
    seed,
    profile,
    signal,
    codebooks,
    convertedNetwork: () => maker.withPlaced(names, method, state),
  });
  const origin = { data: data.name, examples: data.size, seed };
  const found = new Map([...learnt].map(([name, calibration]) => [name, { ...calibration, origin }]));
  const short = targets.filter(({ positions, numCentroids }) => data.size * positions < numCentroids);
  const warnings = short.map(
    ({ name, positions, numCentroids }) =>
      `calibrate: ${name} has seen fewer rows than it has centroids (${data.size * positions} and K = ${numCentroids}), so some centroids repeat; calibrate on more examples`,
  );
  return { found, warnings };
}
