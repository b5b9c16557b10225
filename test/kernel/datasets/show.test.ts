import { datasets } from "lutnn";
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
});
