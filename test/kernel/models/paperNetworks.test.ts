import { convert, count, models, type tf } from "lutnn";
import { describe, expect, it } from "vitest";
import publishedCounts from "./publishedCounts.json" with { type: "json" };

const small = { inputShape: [32, 32, 3], numClasses: 10 };
const large = { inputShape: [224, 224, 3], numClasses: 1000 };

/** By name of a network: dense [operations, bytes]; with K centroids [multiply-adds, additions, operations, bytes]; each
 * layer's N, D, M and, where it is replaced, V. By the counting of the paper's authors. */
type Published = Record<
  string,
  { dense: number[]; K8: number[]; K16: number[]; layers: [number, number, number, number | null][] }
>;
const published: Published = publishedCounts as unknown as Published;

describe("the paper's networks", () => {
  it.each(Object.keys(published))("count as published, each layer and in all: %s", (name) => {
    const model = models.paperNetworks[name]();
    const { dense, layers } = published[name];
    const text = (rows: (number | null)[][]) => rows.map((row) => row.join(" ")).sort();
    for (const [K, figures] of [
      [8, published[name].K8],
      [16, published[name].K16],
    ] as const) {
      const table = count(model, { numCentroids: K });
      const { network, rest } = table;
      const { multiplyAdds, additions, operations, bytes } = network.lookup;
      expect([multiplyAdds, additions, operations, bytes]).toEqual(figures);
      expect([network.dense.operations, network.dense.bytes]).toEqual(dense);
      const replaced = [...table].map((row) => [
        row.positions,
        row.inputLength,
        row.outputs,
        row.subvectorLength,
      ]);
      const kept = rest.map(({ rows }) => [rows!.positions, rows!.inputLength, rows!.outputs, null]);
      expect(text([...replaced, ...kept])).toEqual(text(layers));
    }
    model.dispose();
  });

  it("are all of those that were counted, and BERT", () => {
    expect(Object.keys(models.paperNetworks)).toEqual([...Object.keys(published), "bert-6"]);
  });

  it("count as published: BERT of six layers, with attention's products, layer norms and the pooler", () => {
    const model = models.paperNetworks["bert-6"]();
    const table = count(model);
    const { dense, lookup } = table.network;
    expect([dense.operations, lookup.operations]).toEqual([2_759_442_432, 168_935_424]);
    const bytes = [...table].map(({ before, after }) => [before.bytes, after.bytes]);
    expect(bytes).toHaveLength(36);
    const [before, after] = [0, 1].map((i) => bytes.reduce((sum, row) => sum + row[i], 0));
    expect([before, after]).toEqual([169_869_312, 23_887_872]); // 169.9 and 23.9 MB
    model.dispose();
  });

  it("count alike by count and by a conversion as published", () => {
    const model = models.vgg11({ ...small, width: 4 });
    const [alone, converted] = [count(model), convert(model, { profile: "paper" }).layers];
    expect([...converted]).toEqual([...alone]);
    expect(converted.network).toEqual(alone.network);
  });

  it("end in classes or in numbers, one of the two", () => {
    for (const make of [
      models.resnet18,
      models.senet18,
      models.vgg11,
      models.vgg11Small,
      models.resnet20,
      models.smallCnn,
    ]) {
      const sized = { inputShape: [32, 32, 3], width: 4 };
      for (const head of [{ numClasses: 3 }, { outputs: 3 }])
        expect(make({ ...sized, ...head }).outputs[0].shape).toEqual([null, 3]);
      expect(() => make(sized)).toThrow(/: one of numClasses and outputs must be given \(got neither\)/);
      expect(() => make({ ...sized, numClasses: 3, outputs: 1 })).toThrow(/\(got both\)/);
      expect(() => make({ ...sized, outputs: 1.5 })).toThrow(
        /: outputs must be a positive integer \(got 1.5\)/,
      );
    }
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
