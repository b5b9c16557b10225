import { datasets, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { mimeBundle } from "../../../kernel/lib/host/mimeBundle";

const bundle = async (data: datasets.ExampleSource) => (await mimeBundle(data)) as Record<string, string>;

describe("a data set shows itself", () => {
  it("as a grid of its first pictures with their classes", async () => {
    const { train } = await datasets.digits();
    const shown = await bundle(train);
    expect(shown["text/plain"]).toBe(
      "optdigits: 1,437 examples; image 8×8×1 float32; target: one of 10 classes",
    );
    const svg = shown["image/svg+xml"];
    expect(svg.match(/<image /g)).toHaveLength(16);
    const labels = [...svg.matchAll(/<text x="\d+" y="[\d.]+">(\d)<\/text>/g)].map(([, label]) =>
      Number(label),
    );
    expect(labels).toEqual([...train.labels.slice(0, 16)]);
  });

  it("as a table of vectors or token ids, names instead of numbers where there are some", async () => {
    const data = new datasets.ArrayExamples({
      name: "<text>",
      inputs: { ids: { shape: [10], values: Int32Array.from({ length: 20 }, (_, i) => i) } },
      target: { kind: "class", classes: 2, names: ["bad & good", "good"] },
      targets: Int32Array.of(0, 1),
    });
    const shown = await bundle(data);
    expect(shown["text/plain"]).toContain("<text>: 2 examples; ids 10 int32; target: one of 2 classes");
    expect(shown["text/plain"]).toMatch(/0 {2}0 1 2 3 4 5 6 7 … \(10\) {7,}bad & good/);
    expect(shown["text/html"]).toContain("bad &amp; good");
    expect(shown["text/html"]).toContain("&lt;text&gt;");
  });

  /** The numbers of each picture's PNG, and where it stands. */
  function pictures(svg: string) {
    const all = svg.matchAll(/<image x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)".*?base64,(.*?)"/g);
    return [...all].map(([, x, y, width, height, png]) => {
      const tensor = tf.node.decodePng(Buffer.from(png, "base64"));
      const pixels = [...tensor.dataSync()];
      tensor.dispose();
      return { place: [x, y, width, height].map(Number), pixels };
    });
  }

  it("as pictures in their own range, grey ones as ink on paper, with the names of what is in them", async () => {
    const images = [0, 1, 2, 3, 4, 10, ...Array(6).fill(7)];
    const data = new datasets.ArrayExamples({
      name: "strips",
      inputs: { image: { shape: [2, 3, 1], values: Float32Array.from(images) } },
      target: { kind: "labels", count: 2, names: ["<a>", "b"] },
      targets: Float32Array.of(1, 1, 0, 0),
    });
    const svg = (await bundle(data))["image/svg+xml"];
    expect(pictures(svg)).toEqual([
      { place: [10, 38, 72, 48], pixels: [255, 230, 204, 179, 153, 0] },
      { place: [92, 38, 72, 48], pixels: Array(6).fill(255) },
    ]);
    expect([...svg.matchAll(/<text [^>]*>([^<]*)</g)].map(([, text]) => text)).toEqual([
      "strips: 2 examples; image 2×3×1 float32; target: 2 yes-or-no answers",
      "&lt;a&gt;, b",
      "none",
    ]);
  });

  it("as pictures in colour from dark to light, eight in a row", async () => {
    const data = new datasets.ArrayExamples({
      name: "colours",
      inputs: {
        image: { shape: [3, 2, 3], values: Float32Array.from({ length: 9 * 18 }, (_, i) => i % 18) },
      },
      target: { kind: "values", length: 1, unit: "points" },
      targets: Float32Array.from({ length: 9 }, (_, i) => i / 3),
    });
    const svg = (await bundle(data))["image/svg+xml"];
    const drawn = pictures(svg);
    expect(drawn[0].pixels).toEqual(Array.from({ length: 18 }, (_, i) => 15 * i));
    expect(drawn.map(({ place }) => place)).toEqual([
      ...Array.from({ length: 8 }, (_, i) => [10 + 82 * i, 38, 48, 72]),
      [10, 138, 48, 72],
    ]);
    expect(svg).toContain('width="666" height="238" viewBox="0 0 666 238"');
    expect(svg).toContain(">0.3333</text>");
    expect(svg).toContain("in points</text>");
  });
});
