import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { LutnnError } from "lutnn";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { unpackArchives } from "../../../kernel/lib/files/unpack/unpack";

const root = mkdtempSync(join(tmpdir(), "lutnn-unpack-"));
const made = join(root, "made");
let folder = "";
beforeAll(() => {
  mkdirSync(made);
  const python = join(import.meta.dirname, "../../../.venv/bin/python");
  execFileSync(python, [join(import.meta.dirname, "unpack.py"), made]);
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  folder = mkdtempSync(join(root, "case-"));
});

const limits = { bytes: 4 << 20, entries: 1000 };
const unpacked = (names: string[], most = limits, signal = new AbortController().signal) =>
  unpackArchives(
    names.map((name) => join(made, name)),
    join(folder, "set"),
    most,
    signal,
  );
const { signal } = new AbortController();
const nothingIsLeft = () => {
  expect(readdirSync(folder)).toEqual([]);
  expect(existsSync(join(root, "out.txt"))).toBe(false);
  expect(existsSync("/tmp/lutnn-out.txt")).toBe(false);
};
const big = Buffer.alloc(
  1 << 20,
  Uint8Array.from({ length: 256 }, (_, i) => i),
);

describe("an archive", () => {
  it.each(["good.tar", "good.tar.gz", "gnu.tgz"])("is unpacked to the last byte (%s)", async (name) => {
    const told: number[] = [];
    await unpackArchives([join(made, name)], join(folder, "set"), limits, signal, (bytes) =>
      told.push(bytes),
    );
    expect(told).toEqual([5, 5, big.length + 5, big.length + 10]);
    const set = join(folder, "set/set");
    expect(readFileSync(join(set, "a.txt"), "utf8")).toBe("first");
    expect(statSync(join(set, "deep/er/empty")).size).toBe(0);
    expect(readFileSync(join(set, `${"long name ".repeat(15)}.bin`)).equals(big)).toBe(true);
    expect(readFileSync(join(set, "ü.txt"), "utf8")).toBe("grün");
    expect(readdirSync(folder)).toEqual(["set"]);
  });

  it("of zip is unpacked, packed or stored, and several go into one folder", async () => {
    await unpacked(["good.zip"]);
    expect(readFileSync(join(folder, "set/set/big.bin")).equals(big)).toBe(true);
    expect(readdirSync(join(folder, "set/set")).sort()).toEqual(["a.txt", "big.bin", "deep"]);
    folder = mkdtempSync(join(root, "case-"));
    writeFileSync(join(made, "other.tar"), gunzipSync(readFileSync(join(made, "many.tar.gz"))));
    await unpacked(["stored.zip", "other.tar"], { bytes: 100, entries: 3000 });
    expect(readFileSync(join(folder, "set/set/a.txt"), "utf8")).toBe("first");
    expect(readdirSync(join(folder, "set"))).toHaveLength(2001);
  });

  it.each([
    ...["up.tar.gz", "inner-up.tar.gz", "absolute.tar.gz", "backslash.tar.gz", "drive.tar.gz"],
    ...["control.tar.gz", "deep.tar.gz", "up.zip", "absolute.zip", "backslash.zip", "drive.zip"],
  ])("must stay below the folder (%s)", async (name) => {
    const attempt = unpacked([name]);
    await expect(attempt).rejects.toThrow(LutnnError);
    await expect(attempt).rejects.toThrow(/must be (a plain path below the folder|whole zip \()/);
    nothingIsLeft();
  });

  it.each(["symlink.tar.gz", "hardlink.tar.gz", "fifo.tar.gz", "device.tar.gz", "symlink.zip", "fifo.zip"])(
    "must hold files and folders alone (%s)",
    async (name) => {
      await expect(unpacked([name])).rejects.toThrow(/each entry of the archive must be a file or a folder/);
      nothingIsLeft();
    },
  );

  it("must not write a file twice, nor across archives", async () => {
    await expect(unpacked(["twice.tar.gz"])).rejects.toThrow(/must be there once \(got "set\/a\.txt"\)/);
    await expect(unpacked(["good.tar.gz", "good.zip"])).rejects.toThrow(/must be there once/);
    nothingIsLeft();
  });

  it.each(["bomb.tar.gz", "many.tar.gz", "bomb.zip"])("must keep to the limits (%s)", async (name) => {
    await expect(unpacked([name])).rejects.toThrow(/must unpack to at most \d+ bytes/);
    nothingIsLeft();
  });

  it("counts several archives together, and blocks of zeros behind the last entry", async () => {
    const most = { bytes: 1.5 * 2 ** 20, entries: 100 };
    await expect(unpacked(["half.tar", "big.zip"], most)).rejects.toThrow(
      /big\.zip: .* at most 1572864 bytes/,
    );
    const tar = gunzipSync(readFileSync(join(made, "many.tar.gz")));
    writeFileSync(join(made, "zeros.tar.gz"), gzipSync(Buffer.concat([tar, Buffer.alloc(64 << 20)])));
    await expect(unpacked(["zeros.tar.gz"], { bytes: 100, entries: 3000 })).rejects.toThrow(
      /it unpacks to more/,
    );
    nothingIsLeft();
  });

  it("must be as it claims: sizes, checksums, one layer of packing, a whole end", async () => {
    await expect(unpacked(["lie.zip"])).rejects.toThrow(LutnnError);
    await expect(unpacked(["checksum.zip"])).rejects.toThrow(/must have the checksum that it claims/);
    const whole = readFileSync(join(made, "good.tar.gz"));
    writeFileSync(join(made, "twofold.tar.gz"), gzipSync(whole));
    await expect(unpacked(["twofold.tar.gz"])).rejects.toThrow(/must be whole tar \(packed twice\)/);
    for (const [name, length] of [
      ["good.tar.gz", 100],
      ["good.tar.gz", whole.length - 4],
      ["good.tar", 700],
      ["good.tar", 1024],
      ["good.tar", 0],
      ["good.zip", 500],
      ["good.zip", 0],
    ] as const) {
      const cut = `cut-${length}-${name}`;
      writeFileSync(join(made, cut), readFileSync(join(made, name)).subarray(0, length));
      await expect(unpacked([cut]), cut).rejects.toThrow(/must be whole (tar|zip) \(.+\); delete it/);
    }
    nothingIsLeft();
  });

  it("is refused where its kind is not known, it is not there, or its folder is", async () => {
    writeFileSync(join(made, "x.rar"), "x");
    await expect(unpacked(["x.rar"])).rejects.toThrow(
      /must be \.tar, \.tar\.gz, \.tgz, \.zip or \.whl \(got "x\.rar"\)/,
    );
    await expect(unpacked(["none.zip"])).rejects.toThrow(/^unpack: it must exist/);
    await expect(unpacked(["none.tar"])).rejects.toThrow(/^unpack: it must exist/);
    nothingIsLeft();
    await unpacked(["stored.zip"]);
    await expect(unpacked(["stored.zip"])).rejects.toThrow(/^unpack: the folder must be new/);
    expect(readdirSync(folder)).toEqual(["set"]);
  });

  it("leaves nothing behind when it is aborted, and clears what a killed process left", async () => {
    const reason = new Error("enough");
    await expect(unpacked(["good.tar.gz"], limits, AbortSignal.abort(reason))).rejects.toBe(reason);
    const stop = new AbortController();
    const attempt = unpacked(["many.tar.gz"], { bytes: 100, entries: 3000 }, stop.signal);
    setTimeout(() => stop.abort(reason), 20);
    await expect(attempt).rejects.toBe(reason);
    nothingIsLeft();
    const dead = execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }).trim();
    const left = await leftBy(dead);
    await unpacked(["stored.zip"]);
    expect(existsSync(left)).toBe(false);
    expect(readdirSync(folder)).toEqual(["set"]);
  });
});

/** A folder as a process of that id would leave it. */
async function leftBy(id: string): Promise<string> {
  const { claimAside } = await import("../../../kernel/lib/files/aside");
  const left = claimAside(join(folder, "set")).replace(`-${process.pid}-`, `-${id}-`);
  mkdirSync(join(left, "set"), { recursive: true });
  writeFileSync(join(left, "set/a.txt"), "first");
  return left;
}
