import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { mimeBundle } from "../../../kernel/lib/host/mimeBundle";
import { tinyNetwork } from "../network";

describe("a network as a last value", () => {
  it("is a table of its layers with shapes and counts", async () => {
    const bundle = await mimeBundle(tinyNetwork());
    const text = String(bundle["text/plain"]);
    expect(text).toMatch(/tiny: \d+ layers, [\d,]+ numbers/);
    expect(text).toMatch(/c3 +Conv2D +any×3×3×8 +584/);
    expect(text).toMatch(/image +InputLayer +any×6×6×2 +0/);
    expect(String(bundle["text/html"])).toContain("<table");
  });

  it("is text before it is built, and no error", async () => {
    const bundle = await mimeBundle(tf.sequential({ name: "empty" }));
    expect(String(bundle["text/plain"])).toContain("empty");
  });
});
