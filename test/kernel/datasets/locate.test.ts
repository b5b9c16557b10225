import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LutnnError } from "lutnn";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { locate } from "../../../kernel/lib/datasets/locate";
import { type DataSource, userCache } from "../../../kernel/lib/datasets/source";

const root = mkdtempSync(join(tmpdir(), "lutnn-locate-"));
const packed = join(root, "packed");
const signal = new AbortController().signal;
const cache = process.env.XDG_CACHE_HOME;
let server: Server;
let source: DataSource;
let requests = 0;

beforeAll(async () => {
  mkdirSync(join(packed, "images/a"), { recursive: true });
  writeFileSync(join(packed, "images/a/1.bin"), "one");
  writeFileSync(join(packed, "list.txt"), "1.bin");
  const python = join(import.meta.dirname, "../../../.venv/bin/python");
  execFileSync(python, ["-m", "tarfile", "-c", "images.tar.gz", "images"], { cwd: packed });
  execFileSync(python, ["-m", "tarfile", "-c", "list.tar", "list.txt"], { cwd: packed });
  server = createServer((request, response) => {
    requests++;
    response.end(readFileSync(join(packed, request.url!.slice(1))));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const of = (name: string) => {
    const bytes = readFileSync(join(packed, name));
    return { name, bytes: bytes.length, md5: createHash("md5").update(bytes).digest("hex") };
  };
  source = {
    name: "packed-set",
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files: [of("images.tar.gz"), of("list.tar")],
    unpacked: { paths: ["images", "list.txt"], bytes: 100, entries: 10 },
    folders: ["PackedSet"],
  };
});
afterAll(() => {
  server.close();
  if (cache === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cache;
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  process.env.XDG_CACHE_HOME = mkdtempSync(join(root, "cache-"));
  requests = 0;
});
const given = () => mkdtempSync(join(root, "given-"));

describe("a set of archives", () => {
  it("is downloaded and unpacked into the user's cache, and found there from then on", async () => {
    const folder = await locate(source, { signal, download: true });
    expect(folder).toBe(join(userCache(), "packed-set"));
    expect(readFileSync(join(folder, "images/a/1.bin"), "utf8")).toBe("one");
    expect(existsSync(join(userCache(), "downloads/packed-set"))).toBe(false);
    expect(requests).toBe(2);
    expect(await locate(source, { signal })).toBe(folder);
    expect(requests).toBe(2);
  });

  it("is unpacked from archives that somebody has, and these stay", async () => {
    const folder = given();
    for (const { name } of source.files) copyFileSync(join(packed, name), join(folder, name));
    expect(await locate(source, { signal, dataFolder: folder })).toBe(join(userCache(), "packed-set"));
    for (const { name } of source.files) expect(existsSync(join(folder, name))).toBe(true);
  });

  it("whose archive is damaged is refused, and nothing is unpacked", async () => {
    const folder = given();
    for (const { name } of source.files) copyFileSync(join(packed, name), join(folder, name));
    writeFileSync(join(folder, "list.tar"), "damaged");
    await expect(locate(source, { signal, dataFolder: folder })).rejects.toThrow(
      /^list\.tar: the file must have \d+ bytes and md5 .+ \(got 7 and .+\); delete it and get it again$/,
    );
    expect(existsSync(join(userCache(), "packed-set"))).toBe(false);
  });

  it("is found unpacked, under another program's name too", async () => {
    const folder = given();
    mkdirSync(join(folder, "PackedSet/images"), { recursive: true });
    writeFileSync(join(folder, "PackedSet/list.txt"), "");
    expect(await locate(source, { signal, dataFolder: folder })).toBe(join(folder, "PackedSet"));
  });

  it("that is nowhere is named with its archives, the folders and the ways to get it", async () => {
    const attempt = locate(source, { signal, dataFolder: "/no/such" });
    await expect(attempt).rejects.toThrow(LutnnError);
    await expect(attempt).rejects.toThrow(
      /^packed-set: the files images, list\.txt \(or images\.tar\.gz, list\.tar, which they are unpacked from\) must be in one of \/no\/such\/packed-set, \/no\/such\/PackedSet, \/no\/such, .+packed-set \(they are not\); pass \{ download: true \}, or put the files into a folder and pass \{ dataFolder \} or set LUTNN_DATA$/,
    );
    const asked: DataSource = {
      name: "asked",
      files: [],
      content: { isWhole: () => false, words: "a folder of pictures" },
      remedy: "ask for it at its address",
    };
    await expect(locate(asked, { signal, dataFolder: "/no/such", download: true })).rejects.toThrow(
      /^asked: a folder of pictures must be in one of .+; ask for it at its address, put the files/,
    );
  });
});
