import * as tf from "@tensorflow/tfjs-node";
import { describeTraining } from "../compute/trainingBackend";
import type { ExampleSource } from "../datasets/examples";
import { LutnnError } from "../errors";
import type { NetworkGraph } from "../layers/graph";
import { linearOperator } from "../layers/linearOperator";
import { LookupLayer, softLearning } from "../layers/lookupLayer";
import type { Task } from "../tasks/task";
import type { CurvePoint } from "../training/curve";
import { decayGroups } from "../training/fit";
import type { TrainingHistory } from "../training/history";
import type { ParameterGroup } from "../training/optimizer";
import type { TrainingOptions } from "../training/options";
import { outputsOf } from "../training/outputs";
import { train } from "../training/trainer";
import { HiddenStateLoss, type HiddenStates } from "./hiddenStates";
import type { Student } from "./methods/method";
import type { FineTuneSettings, TemperatureMode } from "./profile";

export type FineTuneOptions = TrainingOptions &
  Partial<FineTuneSettings> & {
    /** Distillation inside the network, too. Default: the outputs alone. */
    hiddenStates?: HiddenStates;
  };

/** The annealed temperature at a step: geometric from 1 to 0.1. */
export const annealedTemperature = (step: number, steps: number): number =>
  0.1 ** (step / Math.max(1, steps - 1));

function checkTemperature(mode: TemperatureMode): void {
  if (mode === "learned" || mode === "annealed") return;
  if (typeof mode === "object" && mode.fixed > 0 && mode.fixed <= 1) return;
  throw new LutnnError(
    `fineTune: temperature must be "learned", "annealed" or { fixed: t } with t above 0 and at most 1 (got ${JSON.stringify(mode)})`,
  );
}

export interface FineTuneRun {
  graph: NetworkGraph;
  student: Student;
  task: Task;
  data: ExampleSource;
  settings: FineTuneSettings;
  options: TrainingOptions & Pick<FineTuneOptions, "hiddenStates">;
  /** Called with the number of steps that the weights have taken, after each. */
  onStep?: (taken: number) => void;
  /** Called after each step with loss and metric so far. */
  onCurve?: (points: readonly CurvePoint[]) => void;
}

/** All trainable weights but temperatures and those in nobody's use; where the settings tell them apart, those of lookups and the others. */
function weightGroups(
  model: tf.LayersModel,
  lookups: readonly LookupLayer[],
  { learningRate, otherLearningRate }: FineTuneSettings,
  weightDecay: number,
): ParameterGroup[] {
  const left = new Set<unknown>(
    lookups.flatMap((layer) => [layer.temperatureVariable, ...layer.unusedVariables]),
  );
  const weights = model.trainableWeights.filter((weight) => !left.has(weight.read()));
  if (otherLearningRate === null) return decayGroups(weights, learningRate, weightDecay);
  const own = new Set(lookups.flatMap((layer) => layer.trainableWeights));
  return [
    ...decayGroups(
      weights.filter((weight) => own.has(weight)),
      learningRate,
      weightDecay,
    ),
    ...decayGroups(
      weights.filter((weight) => !own.has(weight)),
      otherLearningRate,
      weightDecay,
    ),
  ];
}

/**
 * Soft-PQ training of all weights of a converted network: the task's loss, plus distillation from the dense network
 * where the profile says so, of hidden states where the call says so; learned temperatures have a learning rate of their own and no decay.
 */
export async function fineTuneStudent(run: FineTuneRun): Promise<TrainingHistory> {
  const { graph, student, task, data, settings, options, onStep, onCurve } = run;
  const { temperature, temperatureLearningRate, distillationTemperature } = settings;
  checkTemperature(temperature);
  const lookups = [...student.layers].filter(
    (entry): entry is [string, LookupLayer] => entry[1] instanceof LookupLayer,
  );
  const layers = lookups.map(([, layer]) => layer);
  const { hiddenStates } = options;
  const hidden = hiddenStates && new HiddenStateLoss(graph, student, hiddenStates);
  const teacherOf = (inputs: tf.Tensor[]): tf.Tensor[] => {
    return hidden ? hidden.teach(inputs) : outputsOf(graph.model, inputs, false);
  };
  const temperatures = layers.map((layer) => layer.temperatureVariable);
  const groups = weightGroups(student.model, layers, settings, options.weightDecay ?? 0);
  if (temperature === "learned")
    groups.push({ variables: temperatures, learningRate: temperatureLearningRate });
  for (const [name, layer] of lookups) {
    const { softShare, commitment, centroidPull } = settings;
    const { inputGradient } = linearOperator(graph.callsOf(name)[0]);
    layer.learning = { softShare, commitment, centroidPull, inputGradient };
  }
  const own = (outputs: tf.Tensor[]) => outputs.slice(0, graph.outputs.length);
  const clear = () => {
    for (const layer of layers) layer.clearAuxiliaryLosses();
  };
  try {
    return await train({
      label: "fine-tune",
      model: student.model,
      data,
      groups,
      beforeStep: (step, steps) => {
        clear();
        if (temperature === "learned") return;
        const value = temperature === "annealed" ? annealedTemperature(step, steps) : temperature.fixed;
        for (const layer of layers) layer.setTemperature(value);
      },
      loss: (outputs, inputs, { targets, mask }) => {
        const losses = [
          task.loss(own(outputs), targets, mask),
          ...layers.flatMap((layer) => layer.auxiliaryLosses),
        ];
        if (settings.distillation > 0 || hidden) {
          const teacher = teacherOf(inputs);
          if (settings.distillation > 0) {
            const distance = task.distillation(own(outputs), own(teacher), distillationTemperature, mask);
            losses.push(tf.mul(distance, settings.distillation));
          }
          if (hidden) losses.push(hidden.loss(outputs, teacher, mask));
        }
        return tf.addN(losses);
      },
      ...(hidden && { forward: (inputs: tf.Tensor[]) => hidden.forward(inputs) }),
      options: { ...options, task },
      onCurve,
      onStep,
      remark: `soft-PQ by ${describeTraining()}`,
      identity: {
        settings,
        ...(hiddenStates && { hiddenStates }),
        lookups: lookups.map(([name, layer]) => [name, layer.lookup]),
        ...(layers.some((layer) => layer.codebookOwner !== layer) && {
          codebooks: layers.map(({ codebookOwner }) => codebookOwner.name),
        }),
      },
    });
  } finally {
    clear();
    for (const layer of layers) {
      layer.learning = softLearning;
      layer.settleCodebook();
    }
  }
}
