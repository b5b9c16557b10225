import { convert, denseCost, models, type tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { isReplaceable, linearOperator } from "../../../kernel/lib/layers/linearOperator";

const small = { inputShape: [32, 32, 3], numClasses: 10 };
const large = { inputShape: [224, 224, 3], numClasses: 1000 };

/** Operations and bytes of all linear layers, with those that `convert` takes by default as lookups, or all dense. */
function costs(model: tf.LayersModel, numCentroids: number) {
  const graph = new NetworkGraph(model);
  const lookups = new Map([...convert(model, { numCentroids }).layers].map((row) => [row.name, row]));
  const sum = { dense: { operations: 0, bytes: 0 }, lookups: { operations: 0, bytes: 0 } };
  for (const node of graph.nodes.filter(({ layer }) => isReplaceable(layer))) {
    const before = denseCost({ ...linearOperator(node), numCentroids: 0, subvectorLength: 1 });
    const after = lookups.get(node.name)?.after ?? before;
    for (const name of ["operations", "bytes"] as const) {
      sum.dense[name] += before[name];
      sum.lookups[name] += after[name];
    }
  }
  return sum;
}

/** Operations and bytes, dense and with 8 and 16 centroids, by the counting rules of the paper. */
const published = {
  "ResNet18 for CIFAR": [() => models.resnet18(small), 555_422_720, 44_657_408, 97_719_296, 131_273_728],
  "SENet18 for CIFAR": [() => models.senet18(small), 555_509_760, 45_005_568, 97_806_336, 131_360_768],
  "VGG11 for CIFAR": [() => models.vgg11(small), 605_754_368, 36_891_392, 85_398_528, 101_913_600],
  "ResNet18 for ImageNet": [
    () => models.resnet18(large),
    1_814_073_344,
    46_715_648,
    412_356_608,
    515_117_056,
  ],
  "SENet18 for ImageNet": [() => models.senet18(large), 1_814_160_384, 47_063_808, 412_443_648, 515_204_096],
  "VGG11 for ImageNet": [() => models.vgg11(large), 7_485_968_384, 38_918_912, 1_111_609_344, 1_313_918_976],
} as const;

describe("the paper's networks", () => {
  it.each(Object.keys(published) as (keyof typeof published)[])(
    "have the published operations and bytes, dense and with lookups: %s",
    (name) => {
      const [make, operations, bytes, with8, with16] = published[name];
      const model = make();
      expect(costs(model, 8).lookups.operations).toBe(with8);
      const { dense, lookups } = costs(model, 16);
      expect([dense.operations, dense.bytes, lookups.operations]).toEqual([operations, bytes, with16]);
      model.dispose();
    },
  );

  it("have the published sizes: K = 16 in ResNet18, SENet18 and VGG11 for CIFAR", () => {
    const bytes = [models.resnet18(small), models.senet18(small), models.vgg11(small)].map(
      (model) => costs(model, 16).lookups.bytes,
    );
    expect(bytes).toEqual([22_227_712, 22_575_872, 17_701_632]);
  });

  it("halve images around their middle: a stride of 2 sees as much padding on each side", () => {
    const model = models.resnet18({ ...small, width: 4 });
    const shape = (name: string) => (model.getLayer(name).output as tf.SymbolicTensor).shape;
    expect(shape("stage2_block1_conv1_pad")).toEqual([null, 34, 34, 4]);
    expect(shape("stage2_block1_conv1")).toEqual([null, 16, 16, 8]);
    const first = models.resnet18({ ...large, width: 4 }).getLayer("pool1").output as tf.SymbolicTensor;
    expect(first.shape).toEqual([null, 56, 56, 4]);
  });

  it("grow with width and blocks as they say, and refuse what they cannot be", () => {
    const wide = models.resnet18({ ...small, width: 8, blocks: 3 });
    expect(wide.layers.filter((layer) => layer.getClassName() === "Conv2D")).toHaveLength(1 + 4 * 3 * 2 + 3);
    expect((wide.getLayer("stage4_block3_relu").output as tf.SymbolicTensor).shape).toEqual([null, 4, 4, 64]);
    expect(() => models.senet18({ ...small, blocks: 0 })).toThrow(
      "senet18: blocks of a stage must be a whole number from 1 (got 0)",
    );
    expect(() => models.vgg11({ ...small, inputShape: [32] })).toThrow(/vgg11: inputShape must be/);
  });
});
