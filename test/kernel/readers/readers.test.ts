import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LutnnError } from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { watch } from "./bounds";
import { type Attempt, readerCases } from "./cases";
import { networkCases } from "./networkCases";

/** Mutated files for each reader, and where their seeds begin; check.mjs sets both. */
const asked = process.env.LUTNN_READERS;
/** Those that take some ten microseconds a file get more of them. */
const quick = [
  "safetensors",
  "safetensors' header",
  "stored array",
  "npy",
  "idx",
  "gzip",
  "stored conversion",
];
const countFor = (name: string) => Number(asked ?? (quick.includes(name) ? 2000 : 150));
const first = Number(process.env.LUTNN_READERS_SEED ?? 0) * 1_000_000;
const only = process.env.LUTNN_READERS_ONLY?.split(",");
/** What a process takes at most, in MB: TensorFlow and libvips, and what a few pictures need. */
const mostMemory = 1500;

const root = mkdtempSync(join(tmpdir(), "lutnn-readers-"));
const cache = process.env.XDG_CACHE_HOME;
let cases: Record<string, Attempt> = {};
beforeAll(async () => {
  process.env.XDG_CACHE_HOME = join(root, "cache");
  cases = { ...readerCases(root), ...(await networkCases(join(root, "networks"))) };
});
afterAll(() => {
  if (cache === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cache;
  rmSync(root, { recursive: true });
});

const names = [
  ...["tar", "tar.gz", "zip", "mat", "svhn", "cifar10", "ppm", "jpeg", "wav"],
  ...["gtsrb", "speech-commands", "imagenet"],
  ...["movie-snippets", "movie-snippets' archive", "glue", "tokenizer", "utkface"],
  ...["safetensors", "safetensors' header", "stored array", "npy", "idx", "gzip"],
  ...["onnx", "onnx with constants beside", "what a saved file says of itself", "reference session"],
  ...["checkpoint", "stored conversion", "report"],
];

describe("a mutated file is read, or refused in a sentence of ours", () => {
  it("in every format that there is a reader for", () => {
    expect(Object.keys(cases)).toEqual(names);
  });

  it.each(names.filter((name) => only?.includes(name) ?? true))(
    "%s",
    async (name) => {
      const each = countFor(name);
      let refused = 0;
      for (let seed = first; seed < first + each; seed++) {
        const tooMuch = watch();
        try {
          await cases[name](seed);
        } catch (error) {
          if (!(error instanceof LutnnError) || error.message.includes("\n"))
            throw new Error(`${name}, seed ${seed}: ${error instanceof Error ? error.stack : error}`);
          refused++;
        }
        const fault = tooMuch();
        if (fault) throw new Error(`${name}, seed ${seed}: ${fault}`);
      }
      // It must take some and refuse some, or it does not look.
      expect(refused / each, "the share that is refused").toBeGreaterThan(0.01);
      expect(refused / each, "the share that is refused").toBeLessThan(0.999);
      expect(process.resourceUsage().maxRSS / 1024).toBeLessThan(mostMemory);
    },
    Math.max(60_000, Number(asked ?? 0) * 60),
  );
});
