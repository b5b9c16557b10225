import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

const script = `
  const lutnn = require(${JSON.stringify(require.resolve("lutnn"))});
  const { ProductQuantizer } = lutnn.pq;
  const centroids = Float32Array.from({ length: 2 * 16 * 3 }, (_, i) => Math.sin(i * i));
  const book = new ProductQuantizer({ numCodebooks: 2, numCentroids: 16, subvectorLength: 3 }, centroids);
  console.log(Buffer.from(book.encode(Float32Array.from({ length: 60 }, (_, i) => Math.cos(i)))).toString("hex"));
  console.log(lutnn.pq.nativeStatus().available);`;

describe("without the lookup backend", () => {
  it("plain loops give the same codes, with a notice of why", () => {
    const wanted = execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }).trim().split("\n");
    expect(wanted[1]).toBe("true");
    const env = { ...process.env, LUTNN_FORCE_ISA: "none" };
    const without = spawnSync(process.execPath, ["-e", script], { encoding: "utf8", env });
    expect(without.stdout.trim().split("\n")).toEqual([wanted[0], "false"]);
    expect(without.stderr).toMatch(/LutnnWarning: the lookup backend does not load.*plain loops.*got "none"/);
  });
});
