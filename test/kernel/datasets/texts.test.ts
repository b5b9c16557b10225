import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { datasets, LutnnError } from "lutnn";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { glueExamples } from "../../../kernel/lib/datasets/text/glueExamples";
import { glueTasks } from "../../../kernel/lib/datasets/text/glueTasks";
import { ratedSentences } from "../../../kernel/lib/datasets/text/ratedSentences";
import { mutatedBytes } from "../files/mutate";

const python = join(import.meta.dirname, "../../../.venv/bin/python");
const folder = mkdtempSync(join(tmpdir(), "lutnn-texts-"));
const signal = new AbortController().signal;
let tokenizer: datasets.WordPiece;

beforeAll(async () => {
  const vocabulary = join(folder, "vocab.txt");
  writeFileSync(
    vocabulary,
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\ngood\nbad\nfilm\n\u00E9\n'\n".replace("\u00E9", "e"),
  );
  tokenizer = await datasets.wordPiece(vocabulary);
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  vi.stubEnv("LUTNN_DATA", "");
  return () => vi.unstubAllEnvs();
});

/** Sentences of known ratings: of every ten, one near zero, five good, four bad; the text's last word is its number. */
const ratings = Array.from({ length: 60 }, (_, i) =>
  i % 10 === 0 ? 0.2 : (i % 2 === 0 ? -1 : 1) * (0.5 + (i % 7) / 2),
);
const lines = ratings.map((rating, i) => `${i + 1}\t${rating}\tfilm ${"good ".repeat(i % 5)}''\u00E9''`);

/** Lays the sentences down as the published archive does, packed by Python. */
function writeSnippets(text: string, name = "movieReviewSnippets_GroundTruth.txt"): string {
  const root = mkdtempSync(join(folder, "snippets-"));
  const inside = join(root, "hutto_ICWSM_2014");
  const resources = join(root, "movie-snippets/vaderSentiment-0.5/additional_resources");
  mkdirSync(inside);
  mkdirSync(resources, { recursive: true });
  writeFileSync(join(inside, name), text);
  const archive = join(resources, "hutto_ICWSM_2014.tar.gz");
  execFileSync(python, ["-m", "tarfile", "-c", archive, "hutto_ICWSM_2014"], { cwd: root });
  return root;
}

describe("movie snippets", () => {
  it("become the sign of their rating, as many good as bad in the test part", async () => {
    const dataFolder = writeSnippets(lines.join("\r\n"));
    const options = { tokenizer, dataFolder, sequenceLength: 9, testSize: 10 };
    const { train, test } = await datasets.movieSnippets(options);
    expect([train.size, test.size]).toEqual([ratings.filter((one) => Math.abs(one) >= 0.3).length - 10, 10]);
    expect(train.target).toEqual({ kind: "class", classes: 2, names: ["bad", "good"] });
    const signs = [...train.arrays.targets, ...test.arrays.targets].reduce((sum, one) => sum + one, 0);
    expect(signs).toBe(ratings.filter((one) => one >= 0.3).length);
    expect([...test.arrays.targets].reduce((sum, one) => sum + one, 0)).toBe(5);
    expect(train.inputs.map(({ name, shape, dtype }) => [name, shape, dtype])).toEqual(
      ["tokens", "segments", "mask"].map((name) => [name, [9], "int32"]),
    );
    expect(train.arrays.mask).toEqual(train.arrays.inputs.mask.values);
    // The second line: one "good" before '' é ''.
    const quotes = [8, 8, 7, 8, 8];
    expect([...train.arrays.inputs.tokens.values.slice(0, 9)]).toEqual([2, 6, 4, ...quotes, 3]);
    const again = await datasets.movieSnippets(options);
    expect(again.test.arrays.inputs).toEqual(test.arrays.inputs);
    const other = await datasets.movieSnippets({ ...options, seed: 1 });
    expect(other.test.arrays.inputs).not.toEqual(test.arrays.inputs);
  });

  it("become the rating itself, all of them", async () => {
    const dataFolder = writeSnippets(lines.join("\r\n"));
    const { train, test } = await datasets.movieSnippets({
      ...{ tokenizer, dataFolder, testSize: 12, target: "rating" },
    });
    expect(train.inputs[0].shape).toEqual([48]);
    expect(train.target).toMatchObject({ kind: "values", length: 1, unit: "points" });
    const all = [...train.arrays.targets, ...test.arrays.targets].sort();
    expect(all).toEqual([...Float32Array.from(ratings)].sort());
    expect([...test.arrays.targets].filter((one) => one > 0)).toHaveLength(6);
  });

  it("are refused in a sentence: files that are missing, another archive, lines that are none", async () => {
    const none = { tokenizer, dataFolder: join(folder, "nothing") };
    await expect(datasets.movieSnippets(none)).rejects.toThrow(
      /^movie-snippets: the files vaderSentiment.*vaderSentiment-0\.5\.zip.*nothing.*pip download.*\{ download: true \}/,
    );
    await expect(datasets.movieSnippets({ dataFolder: folder } as never)).rejects.toThrow(
      /a tokenizer must be given/,
    );
    const elsewhere = writeSnippets(lines.join("\n"), "tweets_GroundTruth.txt");
    await expect(datasets.movieSnippets({ tokenizer, dataFolder: elsewhere })).rejects.toThrow(
      /must hold hutto_ICWSM_2014\/movieReviewSnippets_GroundTruth.txt .*\(got no such file\)/,
    );
    const dataFolder = writeSnippets(`${lines[1]}\n2\tgood\tfilm\n`);
    await expect(datasets.movieSnippets({ tokenizer, dataFolder })).rejects.toThrow(
      /line 2 must have a rating from −4 to 4 \(got "good"\)/,
    );
    const few = writeSnippets(lines.join("\n"));
    await expect(datasets.movieSnippets({ tokenizer, dataFolder: few })).rejects.toThrow(
      /testSize must be an integer from 2, below \d+ \(got 1500\)/,
    );
    // As many of the test part must be good as bad: twice the rarer ones are too many, whichever these are.
    for (const [good, bad] of [
      [1, 3],
      [3, 1],
    ]) {
      const rated = [...Array(good).fill(2), ...Array(bad).fill(-2)].map(
        (rating, i) => `${i + 1}\t${rating}\tfilm`,
      );
      const uneven = writeSnippets(rated.join("\n"));
      await expect(datasets.movieSnippets({ tokenizer, dataFolder: uneven, testSize: 2 })).rejects.toThrow(
        /testSize must be an integer from 2, below 2 \(got 2\)/,
      );
    }
    // Anything but "sign" was taken for "rating" before.
    await expect(
      datasets.movieSnippets({ tokenizer, dataFolder: few, testSize: 2, target: "Sign" as never }),
    ).rejects.toThrow(/target must be "sign" or "rating" \(got "Sign"\)/);
    expect(() => ratedSentences(Buffer.from([49, 9, 49, 9, 0xff, 10]), "x.txt")).toThrow(
      /^x.txt: line 1 must be UTF-8/,
    );
  });
});

const sst = 'sentence\tlabel\nfilm good \t1\nbad "film\t0\n';
const qqp =
  "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tgood film\tbad film\t0\n4\t5\t6\tfilm\n7\t8\t9\tgood\tfilm good\t1\n";
const rte =
  "index\tsentence1\tsentence2\tlabel\n0\tgood film\tfilm\tentailment\n1\tfilm\tbad film\tnot_entailment\n";

describe("GLUE", () => {
  const read = (name: keyof typeof glueTasks, text: string | Buffer, sequenceLength: number) =>
    glueExamples(glueTasks[name], Buffer.from(text), `${name}.tsv`, { tokenizer, sequenceLength }, signal);
  const firstOf = async (data: datasets.StreamedExamples) => {
    for await (const batch of data.batches(8))
      return {
        tokens: batch.inputs.tokens.arraySync() as number[][],
        segments: batch.inputs.segments.arraySync() as number[][],
        mask: batch.mask!.arraySync(),
        targets: [...batch.targets.dataSync()],
      };
    throw new Error("no batch");
  };

  it("finds a task's files in a folder as its authors lay it out, and has 64 tokens for each text", async () => {
    for (const [title, text] of [
      ["SST-2", sst],
      ["RTE", rte],
      ["QQP", qqp],
    ])
      for (const file of ["train.tsv", "dev.tsv"]) {
        mkdirSync(join(folder, "glue", title), { recursive: true });
        writeFileSync(join(folder, "glue", title, file), text);
      }
    const dataFolder = join(folder, "glue");
    const { train, test } = await datasets.glue("sst-2", { tokenizer, dataFolder });
    expect([train.size, test.size, train.inputs[0].shape]).toEqual([2, 2, [64]]);
    const pairs = await datasets.glue("rte", { tokenizer, dataFolder: join(folder, "glue/RTE") });
    expect(pairs.train.inputs[2]).toEqual({ name: "mask", shape: [128], dtype: "int32" });
    await expect(datasets.glue("qnli", { tokenizer, dataFolder })).rejects.toThrow(
      /QNLI\/train.tsv.*QNLIv2.zip/,
    );
    await expect(datasets.glue("mnli" as never, { tokenizer })).rejects.toThrow(
      /one of sst-2, qqp, qnli, rte/,
    );
  });

  it("gives one text or two in their segments, with the answer", async () => {
    const one = await firstOf(await read("sst-2", sst, 6));
    expect(one.tokens).toEqual([
      [2, 6, 4, 3, 0, 0],
      [2, 5, 1, 6, 3, 0],
    ]);
    expect([one.targets, one.mask]).toEqual([
      [1, 0],
      [
        [1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 0],
      ],
    ]);
    const two = await firstOf(await read("rte", rte, 7));
    expect(two.tokens[0]).toEqual([2, 4, 6, 3, 6, 3, 0]);
    expect([two.segments[0], two.targets]).toEqual([
      [0, 0, 0, 0, 1, 1, 0],
      [0, 1],
    ]);
  });

  it("is split with each answer's share in both parts", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `film ${i}\t${i < 10 ? 1 : 0}\n`);
    const data = await read("sst-2", `sentence\tlabel\n${rows.join("")}`, 6);
    for (const seed of [1, 2, 3]) {
      const [part] = data.split(8, seed);
      expect((await firstOf(part)).targets.filter((answer) => answer === 1)).toHaveLength(2);
    }
  });

  it("leaves out the rows of QQP that end early, and refuses those of others", async () => {
    const data = await read("qqp", qqp, 9);
    expect([data.size, (await firstOf(data)).targets]).toEqual([2, [0, 1]]);
    await expect(read("sst-2", `${sst}film\n`, 6)).rejects.toThrow(/line 4 must have 2 columns \(got 1\)/);
    await expect(read("sst-2", `${sst}film\t2\n`, 6)).rejects.toThrow(
      /line 4 must have 0 or 1 .*\(got "2"\)/,
    );
    await expect(read("rte", sst, 6)).rejects.toThrow(/must name the columns sentence1, sentence2, label/);
    await expect(read("rte", rte.split("\n")[0], 6)).rejects.toThrow(/must hold examples/);
  });

  it("takes damaged files or says in one sentence why not, 300 of each", async () => {
    const whole = Buffer.from(lines.slice(0, 8).join("\r\n"));
    for (const attempt of [
      (seed: number) => read("rte", mutatedBytes(Buffer.from(rte), seed), 6),
      async (seed: number) => ratedSentences(mutatedBytes(whole, seed), "snippets"),
    ]) {
      let refused = 0;
      for (let seed = 0; seed < 300; seed++)
        try {
          await attempt(seed);
        } catch (error) {
          expect(error).toBeInstanceOf(LutnnError);
          refused++;
        }
      expect(refused).toBeGreaterThan(20);
      expect(refused).toBeLessThan(300);
    }
  });
});
