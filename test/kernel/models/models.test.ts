import { LutnnError, models, type tf } from "lutnn";
import { describe, expect, it } from "vitest";

const shape = [16, 24, 3];

/** Trainable numbers of a convolution without bias and its batch norm. */
const conv = (from: number, to: number, size: number) => from * to * size * size + 2 * to;
const count = (model: tf.LayersModel) =>
  model.trainableWeights.reduce(
    (sum, weight) => sum + weight.shape.reduce<number>((a, b) => a * (b ?? 0), 1),
    0,
  );
const outputOf = (model: tf.LayersModel, name: string) =>
  (model.getLayer(name).output as tf.SymbolicTensor).shape;

describe("the networks", () => {
  it("have the published structure: ResNet of depth 14", () => {
    const model = models.resnet({ inputShape: shape, numClasses: 7, width: 4, depth: 14 });
    const stage = (from: number, to: number) =>
      conv(from, to, 3) + 3 * conv(to, to, 3) + (from === to ? 0 : conv(from, to, 1));
    expect(count(model)).toBe(conv(3, 4, 3) + stage(4, 4) + stage(4, 8) + stage(8, 16) + 16 * 7 + 7);
    expect(outputOf(model, "stage1_block2_relu")).toEqual([null, 16, 24, 4]);
    expect(outputOf(model, "stage2_block1_shortcut")).toEqual([null, 8, 12, 8]);
    expect(outputOf(model, "stage3_block2_relu")).toEqual([null, 4, 6, 16]);
    expect(model.outputs[0].shape).toEqual([null, 7]);
    expect(models.resnet20({ inputShape: [32, 32, 3], numClasses: 10 }).name).toBe("resnet20");
  });

  it("have the published structure: VGG11, and the small network", () => {
    const vgg = models.vgg11Small({ inputShape: shape, numClasses: 7, width: 4 });
    const widths = [3, 4, 8, 16, 16, 32, 32, 32, 32];
    const convolutions = widths.slice(1).reduce((sum, to, i) => sum + conv(widths[i], to, 3), 0);
    expect(count(vgg)).toBe(convolutions + 32 * 7 + 7);
    expect(outputOf(vgg, "conv8_relu")).toEqual([null, 2, 3, 32]);
    const small = models.smallCnn({ inputShape: shape, numClasses: 7, width: 4 });
    expect(count(small)).toBe(
      conv(3, 4, 3) + conv(4, 4, 3) + conv(4, 8, 3) + conv(8, 8, 1) + conv(8, 8, 3) + 8 * 7 + 7,
    );
    expect(outputOf(small, "relu5")).toEqual([null, 8, 12, 8]);
  });

  it("start from their seed alone", () => {
    const first = (seed: number) => [
      ...models.smallCnn({ inputShape: shape, numClasses: 7, width: 4, seed }).getWeights()[0].dataSync(),
    ];
    expect(first(1)).toEqual(first(1));
    expect(first(2)).not.toEqual(first(1));
  });

  it.each<readonly [() => tf.LayersModel, RegExp]>([
    [
      () => models.resnet({ inputShape: shape, numClasses: 7, depth: 15 }),
      /depth must be 6n \+ 2 .* \(got 15\)/,
    ],
    [
      () => models.smallCnn({ inputShape: [4], numClasses: 7 }),
      /smallCnn: inputShape must be \[height, width, channels\] \(got \[4\]\)/,
    ],
    [() => models.vgg11Small({ inputShape: [16, 16, 0], numClasses: 7 }), /\(got \[16,16,0\]\)/],
    // Nothing would be left of the image, and the network gave NaN.
    [
      () => models.vgg11({ inputShape: [15, 40, 1], numClasses: 7 }),
      /vgg11: images must be at least 16 pixels .* in form cifar.*\(got 15×40\); enlarge them$/,
    ],
    [
      () => models.vgg11({ inputShape: [40, 31, 1], numClasses: 7, form: "imagenet" }),
      /at least 32 pixels .*\(got 40×31\); enlarge them, or take form "cifar"/,
    ],
    // Taken for "imagenet" before.
    ...[models.resnet18, models.senet18, models.vgg11].map(
      (make) =>
        [
          () => make({ inputShape: [32, 32, 3], numClasses: 7, form: "Cifar" as never }),
          /form must be one of cifar, imagenet \(got "Cifar"\)/,
        ] as const,
    ),
    ...[0, -1, 1.5, Number.NaN].flatMap((width) =>
      [models.resnet18, models.senet18, models.vgg11, models.vgg11Small, models.resnet, models.smallCnn].map(
        (make) =>
          [
            () => make({ inputShape: [32, 32, 3], numClasses: 7, width }),
            /width, the channels of the first stage, must be a positive integer \(got /,
          ] as const,
      ),
    ),
  ])("refuse what they cannot be in one sentence (%#)", (attempt, message) => {
    expect(attempt).toThrow(LutnnError);
    expect(attempt).toThrow(message);
  });
});
