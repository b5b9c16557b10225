import * as tf from "@tensorflow/tfjs-node";
import type { Dataset } from "../datasets/dataset";
import { LookupLayer } from "../layers/lookupLayer";
import { crossEntropy, distillation, givesProbabilities, logProbabilities } from "../training/loss";
import { variablesOf } from "../training/optimizer";
import { type EpochFigures, type TrainingOptions, train } from "../training/trainer";
import type { Profile } from "./profile";

export type FineTuneOptions = TrainingOptions & Partial<Profile["fineTune"]>;

/**
 * Soft-PQ training of all weights of a converted network: cross-entropy on the labels, plus distillation from the
 * dense network where the profile says so; the temperatures have a learning rate of their own.
 */
export async function fineTuneStudent(
  model: tf.LayersModel,
  student: tf.LayersModel,
  data: Dataset,
  settings: Profile["fineTune"],
  options: TrainingOptions,
): Promise<EpochFigures[]> {
  const probabilities = givesProbabilities(model);
  const temperatures = student.layers
    .filter((layer) => layer instanceof LookupLayer)
    .map((layer) => layer.temperatureVariable);
  const weights = variablesOf(student.trainableWeights).filter(
    (variable) => !temperatures.includes(variable),
  );
  return train({
    label: "fine-tune",
    model: student,
    data,
    groups: [
      { variables: weights, learningRate: settings.learningRate },
      { variables: temperatures, learningRate: settings.temperatureLearningRate },
    ],
    loss: (output, images, labels) => {
      const logs = logProbabilities(output, probabilities);
      const onLabels = crossEntropy(logs, labels);
      if (settings.distillation === 0) return onLabels;
      const teacher = logProbabilities(model.apply(images, { training: false }) as tf.Tensor, probabilities);
      return tf.add(
        onLabels,
        tf.mul(distillation(logs, teacher, settings.distillationTemperature), settings.distillation),
      );
    },
    options,
  });
}
