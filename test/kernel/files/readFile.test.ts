import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LutnnError } from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFileWhole } from "../../../kernel/lib/files/readFile";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lutnn-read-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function refusal(path: string, limit?: number): Promise<string> {
  const error = await readFileWhole(path, "open", limit, "get it again").then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(LutnnError);
  return (error as LutnnError).message;
}

describe("readFileWhole", () => {
  it("gives a file's bytes, up to its limit and no further", async () => {
    const path = join(folder, "five");
    writeFileSync(path, "12345");
    expect((await readFileWhole(path, "open", 5)).toString()).toBe("12345");
    expect(await refusal(path, 4)).toBe(
      `open: the file must have at most 4 bytes (got 5 in "${path}"); get it again`,
    );
  });

  it("refuses a file of 3 GiB before it reads any of it", async () => {
    const path = join(folder, "long");
    writeFileSync(path, "");
    truncateSync(path, 3 * 2 ** 30); // takes no room on the disk
    const before = process.memoryUsage().rss;
    expect(await refusal(path)).toMatch(/must have at most 2147483647 bytes \(got 3221225472 in/);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 26);
  });

  it("refuses what is no regular file, and never waits for one", async () => {
    mkdirSync(join(folder, "folder"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect(await refusal(join(folder, "folder"))).toMatch(/a folder is there .*; add a file name or choose/);
    for (const path of [join(folder, "pipe"), "/dev/zero"])
      expect(await refusal(path)).toMatch(/a device, pipe or socket is there/);
    expect(await refusal(join(folder, "none"))).toMatch(/^open: it must exist/);
    expect(await refusal(join(folder, "a\0b"))).toMatch(/must have no null character/);
  });
});
