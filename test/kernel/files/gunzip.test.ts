import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { LutnnError } from "lutnn";
import { describe, expect, it } from "vitest";
import { gunzipBounded } from "../../../kernel/lib/files/gunzip";

describe("gunzipBounded", () => {
  it("unpacks up to the size that is named, members that follow each other too", async () => {
    const packed = gzipSync(Buffer.from("hello"));
    expect(Buffer.from(await gunzipBounded(packed, 5, "f")).toString()).toBe("hello");
    const twice = Buffer.concat([packed, packed]);
    expect(Buffer.from(await gunzipBounded(twice, 10, "f")).toString()).toBe("hellohello");
    await expect(gunzipBounded(packed, 4, "f")).rejects.toThrow(
      new LutnnError(
        `f: the file must unpack to at most 4 bytes (got more from ${packed.length} bytes of gzip); it is not what it should be, fetch it again`,
      ),
    );
    await expect(gunzipBounded(twice, 9, "f")).rejects.toThrow(/at most 9 bytes/);
  });

  it("refuses what is no gzip, or is cut off", async () => {
    const packed = gzipSync(Buffer.alloc(1000, "x"));
    for (const bytes of [Buffer.from("no gzip"), packed.subarray(0, -5), new Uint8Array(0)]) {
      await expect(gunzipBounded(bytes, 5000, "f")).rejects.toThrow(LutnnError);
      await expect(gunzipBounded(bytes, 5000, "f")).rejects.toThrow(
        /^f: the file must be whole gzip \(got \d+ bytes/,
      );
    }
  });

  it("takes no more memory than it may use, whatever a small file claims", () => {
    const script = `
      const { gzipSync } = require("node:zlib");
      const { gunzipBounded } = require(${JSON.stringify(join(import.meta.dirname, "../../../kernel/lib/files/gunzip.js"))});
      const member = gzipSync(Buffer.alloc(32 << 20));
      const bomb = Buffer.concat(Array(40).fill(member)); // 1.3 GB
      const before = process.resourceUsage().maxRSS;
      gunzipBounded(bomb, 1 << 20, "f").catch(() => console.log((process.resourceUsage().maxRSS - before) >> 10));`;
    const megabytes = Number(execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }));
    expect(megabytes).toBeLessThan(40);
  });
});
