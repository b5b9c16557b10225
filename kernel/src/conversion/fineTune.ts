import * as tf from "@tensorflow/tfjs-node";
import { describeTraining } from "../compute/trainingBackend";
import type { Dataset } from "../datasets/dataset";
import { LutnnError } from "../errors";
import { linearOperator } from "../layers/linearOperator";
import { LookupLayer, softLearning } from "../layers/lookupLayer";
import { decayGroups } from "../training/fit";
import type { TrainingHistory } from "../training/history";
import { crossEntropy, distillation, givesProbabilities, logProbabilities } from "../training/loss";
import type { ParameterGroup } from "../training/optimizer";
import type { TrainingOptions } from "../training/options";
import { train } from "../training/trainer";
import type { FineTuneSettings, TemperatureMode } from "./profile";

export type FineTuneOptions = TrainingOptions & Partial<FineTuneSettings>;

/** The annealed temperature at a step: geometric from 1 to 0.1. */
const annealedTemperature = (step: number, steps: number): number => 0.1 ** (step / Math.max(1, steps - 1));

function checkTemperature(mode: TemperatureMode): void {
  if (mode === "learned" || mode === "annealed") return;
  if (typeof mode === "object" && mode.fixed > 0 && mode.fixed <= 1) return;
  throw new LutnnError(
    `fineTune: temperature must be "learned", "annealed" or { fixed: t } with t above 0 and at most 1 (got ${JSON.stringify(mode)})`,
  );
}

/**
 * Soft-PQ training of all weights of a converted network: cross-entropy on the labels, plus distillation from the
 * dense network where the profile says so; learned temperatures have a learning rate of their own and no decay.
 */
export async function fineTuneStudent(
  model: tf.LayersModel,
  student: tf.LayersModel,
  data: Dataset,
  settings: FineTuneSettings,
  options: TrainingOptions,
): Promise<TrainingHistory> {
  const {
    temperature,
    learningRate,
    temperatureLearningRate,
    distillation: share,
    distillationTemperature,
  } = settings;
  checkTemperature(temperature);
  const probabilities = givesProbabilities(model);
  const lookups = student.layers.filter((layer) => layer instanceof LookupLayer);
  const temperatures = lookups.map((layer) => layer.temperatureVariable);
  const others = student.trainableWeights.filter(
    (weight) => !temperatures.some((theta) => theta === weight.read()),
  );
  const groups: ParameterGroup[] = decayGroups(others, learningRate, options.weightDecay ?? 0);
  if (temperature === "learned")
    groups.push({ variables: temperatures, learningRate: temperatureLearningRate });
  for (const layer of lookups) {
    const { softShare, commitment, centroidPull } = settings;
    const { inputGradient } = linearOperator(model.getLayer(layer.name));
    layer.learning = { softShare, commitment, centroidPull, inputGradient };
  }
  const clear = () => {
    for (const layer of lookups) layer.clearAuxiliaryLosses();
  };
  try {
    return await train({
      label: "fine-tune",
      model: student,
      data,
      groups,
      beforeStep: (step, steps) => {
        clear();
        if (temperature === "learned") return;
        const value = temperature === "annealed" ? annealedTemperature(step, steps) : temperature.fixed;
        for (const layer of lookups) layer.setTemperature(value);
      },
      loss: (output, images, labels) => {
        const logs = logProbabilities(output, probabilities);
        const auxiliary = lookups.flatMap((layer) => layer.auxiliaryLosses);
        const losses = [crossEntropy(logs, labels), ...auxiliary];
        if (share > 0) {
          const teacher = logProbabilities(
            model.apply(images, { training: false }) as tf.Tensor,
            probabilities,
          );
          losses.push(tf.mul(distillation(logs, teacher, distillationTemperature), share));
        }
        return tf.addN(losses);
      },
      options,
      remark: `soft-PQ by ${describeTraining()}`,
      identity: { settings, lookups: lookups.map((layer) => [layer.name, layer.lookup]) },
    });
  } finally {
    clear();
    for (const layer of lookups) layer.learning = softLearning;
  }
}
