import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { datasets, LutnnError } from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gunzipExactly } from "../../../kernel/lib/datasets/gunzip";
import { parseIdx } from "../../../kernel/lib/datasets/idx";
import { locate, readDataFile } from "../../../kernel/lib/datasets/locate";
import { userCache } from "../../../kernel/lib/datasets/source";

const idx = (dims: number[], data: number[]) =>
  Uint8Array.from([
    0,
    0,
    8,
    dims.length,
    ...dims.flatMap((d) => [d >>> 24, (d >>> 16) & 255, (d >>> 8) & 255, d & 255]),
    ...data,
  ]);

describe("the IDX reader", () => {
  it("reads lengths and bytes", () => {
    expect(parseIdx(idx([2, 3], [1, 2, 3, 4, 5, 6]), "f")).toEqual({
      dims: [2, 3],
      data: Uint8Array.of(1, 2, 3, 4, 5, 6),
    });
  });

  it("reads an array of no elements, and one of four lengths", () => {
    expect(parseIdx(idx([0], []), "f")).toEqual({ dims: [0], data: Uint8Array.of() });
    expect(parseIdx(idx([1, 2, 1, 1], [3, 4]), "f").dims).toEqual([1, 2, 1, 1]);
  });

  it.each([
    ["nothing", Uint8Array.of(), /must be IDX of unsigned bytes/],
    ["another format", Uint8Array.of(80, 75, 3, 4, 0, 0, 0, 0), /first bytes are 80 75 3 4/],
    ["floats", Uint8Array.of(0, 0, 13, 1, 0, 0, 0, 0), /must be IDX of unsigned bytes/],
    ["a cut file", idx([2, 3], [1, 2, 3, 4, 5]), /2 × 3 = 6 bytes after its header \(got 5\)/],
    ["five lengths", idx([1, 1, 1, 1, 1], [1]), /must be IDX of unsigned bytes/],
    ["no length", Uint8Array.of(0, 0, 8, 0, 1, 2, 3, 4), /must be IDX of unsigned bytes/],
    ["too many bytes", idx([1], [1, 2]), /= 1 bytes after its header \(got 2\)/],
  ])("refuses %s", (_name, bytes, message) => {
    expect(() => parseIdx(bytes, "f")).toThrow(LutnnError);
    expect(() => parseIdx(bytes, "f")).toThrow(message);
  });
});

describe("looking for a data set", () => {
  const folder = mkdtempSync(join(tmpdir(), "lutnn-data-"));
  const content = Buffer.from("the file");
  const md5 = createHash("md5").update(content).digest("hex");
  let server: Server;
  let damaged = false;
  const source = (overrides = {}) => ({
    name: "tiny-set",
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files: [{ name: "a.bin", bytes: content.length, md5 }],
    ...overrides,
  });
  const signal = new AbortController().signal;
  const cache = process.env.XDG_CACHE_HOME;
  beforeAll(async () => {
    process.env.XDG_CACHE_HOME = join(folder, "cache");
    server = createServer((request, response) => {
      if (request.url !== "/a.bin") response.writeHead(404).end();
      else response.end(damaged ? content.subarray(1) : content);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  });
  afterAll(() => {
    server.close();
    if (cache === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = cache;
    rmSync(folder, { recursive: true });
  });

  it("says which files are wanted, where it looked and how to get them", async () => {
    const attempt = locate(source({ system: { folder: "/no/such", install: "apt install tiny" } }), {
      signal,
      dataFolder: folder,
    });
    await expect(attempt).rejects.toThrow(LutnnError);
    await expect(attempt).rejects.toThrow(
      /tiny-set: the files a\.bin must be in one of .*tiny-set.*\/no\/such \(they are not\); apt install tiny, pass \{ download: true \}/,
    );
  });

  it("refuses a damaged download and keeps nothing of it", async () => {
    damaged = true;
    await expect(locate(source(), { signal, download: true })).rejects.toThrow(
      /a\.bin must have 8 bytes \(the server has 7\)/,
    );
    expect(readdirSync(join(userCache(), "tiny-set"))).toEqual([]);
    damaged = false;
  });

  it("says when the file is not there to download", async () => {
    const missing = source({ files: [{ name: "b.bin", bytes: 1, md5 }] });
    await expect(locate(missing, { signal, download: true })).rejects.toThrow(
      /b\.bin must answer with the file \(got status 404\)/,
    );
  });

  it("downloads into the user's cache and finds it there from then on", async () => {
    const first = await locate(source(), { signal, download: true });
    expect(first).toBe(join(folder, "cache/lutnn/tiny-set"));
    expect(readdirSync(first)).toEqual(["a.bin"]);
    expect(await locate(source({ url: "http://127.0.0.1:9" }), { signal })).toBe(first);
  });

  it("takes the folder that it is given first", async () => {
    mkdirSync(join(folder, "given/tiny-set"), { recursive: true });
    writeFileSync(join(folder, "given/tiny-set/a.bin"), content);
    expect(await locate(source(), { signal, dataFolder: join(folder, "given") })).toBe(
      join(folder, "given/tiny-set"),
    );
  });

  it("refuses Fashion-MNIST files that are damaged", async () => {
    const given = join(folder, "fashion-mnist");
    mkdirSync(given);
    for (const { name } of datasets.fashionMnistSource.files) writeFileSync(join(given, name), "no gzip");
    await expect(datasets.fashionMnist({ dataFolder: folder })).rejects.toThrow(
      /train-images-idx3-ubyte\.gz: the file must be whole gzip/,
    );
    for (const { name } of datasets.fashionMnistSource.files)
      writeFileSync(join(given, name), gzipSync(idx([1], [3])));
    await expect(datasets.fashionMnist({ dataFolder: folder })).rejects.toThrow(
      /must unpack to 47040016 bytes \(got 9\)/,
    );
    const other = [784, 60_000, 1].flatMap((d) => [d >>> 24, (d >>> 16) & 255, (d >>> 8) & 255, d & 255]);
    const turned = gzipSync(Buffer.concat([Buffer.from([0, 0, 8, 3, ...other]), Buffer.alloc(47_040_000)]));
    writeFileSync(join(given, "train-images-idx3-ubyte.gz"), turned);
    await expect(datasets.fashionMnist({ dataFolder: folder })).rejects.toThrow(
      /must hold 60000×28×28 bytes \(got 784×60000×1\)/,
    );
  });

  it("never unpacks more of a file than it must hold, nor reads one that is too long", async () => {
    const given = join(folder, "bomb/fashion-mnist");
    mkdirSync(given, { recursive: true });
    const many = Buffer.concat(Array<Buffer>(4).fill(gzipSync(Buffer.alloc(64 << 20))));
    for (const { name } of datasets.fashionMnistSource.files) writeFileSync(join(given, name), many);
    await expect(datasets.fashionMnist({ dataFolder: join(folder, "bomb") })).rejects.toThrow(
      /train-images-idx3-ubyte\.gz: the file must unpack to 47040016 bytes \(it unpacks to more\)/,
    );
    const limits = [Buffer.from("abc"), Buffer.from("abcd"), Buffer.from("ab")].map((content) =>
      gzipSync(content),
    );
    expect((await gunzipExactly(limits[0], 3, "f")).toString()).toBe("abc");
    await expect(gunzipExactly(limits[1], 3, "f")).rejects.toThrow(/it unpacks to more/);
    await expect(gunzipExactly(limits[2], 3, "f")).rejects.toThrow(/must unpack to 3 bytes \(got 2\)/);
    writeFileSync(join(given, "long"), Buffer.alloc(70_000));
    await expect(readDataFile(given, "long", 100)).rejects.toThrow(
      /^long: the file must have at most 65636 bytes \(got 70000 in ".*long"\); delete it and get it again$/,
    );
    await expect(readDataFile(given, "none", 100)).rejects.toThrow(
      /^none: it must exist, .* \(got ENOENT for ".*none"\)$/,
    );
  });
});

describe.skipIf(datasets.findFolder(datasets.fashionMnistSource) === null)("Fashion-MNIST", () => {
  it("has its published sizes and normalised pixels, also at 14×14", async () => {
    const { train, test } = await datasets.fashionMnist();
    expect([train.size, test.size, train.inputShape]).toEqual([60_000, 10_000, [28, 28, 1]]);
    const moments = (values: Float32Array) => {
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return [mean, Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)];
    };
    const [mean, deviation] = moments(train.images);
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(deviation - 1)).toBeLessThan(0.01);
    for (let label = 0; label < 10; label++)
      expect(train.labels.filter((l) => l === label)).toHaveLength(6000);
    const small = await datasets.fashionMnist({ size: 14 });
    const block = [0, 1, 28, 29].map((at) => test.images[784 * 3 + 28 * 10 + 10 + at]);
    expect(small.test.images[196 * 3 + 14 * 5 + 5]).toBeCloseTo(block.reduce((a, b) => a + b) / 4, 5);
  });
});
