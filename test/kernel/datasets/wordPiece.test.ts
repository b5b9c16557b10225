import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { datasets, LutnnError } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { mutatedBytes } from "../files/mutate";

const folder = mkdtempSync(join(tmpdir(), "lutnn-wordpiece-"));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string | Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** The vocabulary of the published tests of BERT's own tokenizer, and what it makes of their text. */
const words = ["want", "##want", "##ed", "wa", "un", "runn", "##ing", ",", "low", "lowest"];
const tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ...words];
const id = (token: string) => tokens.indexOf(token);
const vocabulary = write("vocab.txt", `${tokens.join("\r\n")}\r\n`);

describe("WordPiece", () => {
  it("splits words into the longest pieces that it knows, without case and accents", async () => {
    const tokenizer = await datasets.wordPiece(vocabulary);
    expect(tokenizer.size).toBe(tokens.length);
    expect(tokenizer.pieces("UNwant\u00E9d,running")).toEqual(["un", "##want", "##ed", ",", "runn", "##ing"]);
    expect(tokenizer.pieces(" lowest\u4E2Dlow\u0000 ")).toEqual(["lowest", "[UNK]", "low"]);
    expect(tokenizer.pieces("lowestx")).toEqual(["[UNK]"]);
    const cased = await datasets.wordPiece(vocabulary, { lowercase: false });
    expect(cased.pieces("Low low")).toEqual(["[UNK]", "low"]);
  });

  it("encodes a text with its marks, padded, and cut to its length", async () => {
    const tokenizer = await datasets.wordPiece(folder);
    const short = tokenizer.encode("low, lowest", 7);
    const marked = ["[CLS]", "low", ",", "lowest", "[SEP]", "[PAD]", "[PAD]"];
    expect([...short.tokens]).toEqual(marked.map(id));
    expect([...short.mask]).toEqual([1, 1, 1, 1, 1, 0, 0]);
    expect([...short.segments]).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect([...tokenizer.encode("low, lowest", 4).tokens]).toEqual(["[CLS]", "low", ",", "[SEP]"].map(id));
    expect([...tokenizer.encode("[SEP] low", 4).tokens]).toEqual(["[CLS]", "[SEP]", "low", "[SEP]"].map(id));
  });

  it("encodes two texts in two segments, and cuts the longer one first", async () => {
    const tokenizer = await datasets.wordPiece(folder);
    const { tokens: pair, segments, mask } = tokenizer.encode("low", 8, "want");
    expect([...pair]).toEqual(["[CLS]", "low", "[SEP]", "want", "[SEP]", "[PAD]", "[PAD]", "[PAD]"].map(id));
    expect([...segments]).toEqual([0, 0, 0, 1, 1, 0, 0, 0]);
    expect([...mask]).toEqual([1, 1, 1, 1, 1, 0, 0, 0]);
    const cut = tokenizer.encode("low low low low", 7, "want want");
    expect([...cut.tokens]).toEqual(["[CLS]", "low", "low", "[SEP]", "want", "want", "[SEP]"].map(id));
    const even = tokenizer.encode("low low", 6, "want want");
    expect([...even.tokens]).toEqual(["[CLS]", "low", "low", "[SEP]", "want", "[SEP]"].map(id));
  });

  it("reads tokenizer.json as it reads vocab.txt", async () => {
    const described = {
      version: "1.0",
      added_tokens: [],
      normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, lowercase: true },
      pre_tokenizer: { type: "BertPreTokenizer" },
      post_processor: null,
      decoder: null,
      model: {
        type: "WordPiece",
        unk_token: "[UNK]",
        continuing_subword_prefix: "##",
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(tokens.map((token, i) => [token, i])),
      },
    };
    const json = await datasets.wordPiece(write("tokenizer.json", JSON.stringify(described)));
    const text = await datasets.wordPiece(vocabulary);
    for (const sentence of ["UNwanted, running", "lowest low", ""])
      expect(json.encode(sentence, 9)).toEqual(text.encode(sentence, 9));
    const { decoder: _, ...part } = described;
    await expect(datasets.wordPiece(write("part.json", JSON.stringify(part)))).rejects.toThrow(
      /must describe a whole tokenizer \(Tokenizer must contain a "decoder" property\)/,
    );
    const other = { ...described, model: { ...described.model, type: "BPE" } };
    await expect(datasets.wordPiece(write("bpe.json", JSON.stringify(other)))).rejects.toThrow(
      /must describe a WordPiece tokenizer .*\(got "BPE"\)/,
    );
  });

  it("names what is wrong with a vocabulary, a folder or a length", async () => {
    const bare = write("bare.txt", "[PAD]\n[UNK]\nlow\n");
    await expect(datasets.wordPiece(bare)).rejects.toThrow(/\(\[CLS\], \[SEP\] not found\)/);
    const twice = write("twice.txt", `${tokens.join("\n")}\nlow\n`);
    await expect(datasets.wordPiece(twice)).rejects.toThrow(/line 15 is "low" again/);
    await expect(datasets.wordPiece(tmpdir())).rejects.toThrow(/must hold tokenizer.json or vocab.txt/);
    const tokenizer = await datasets.wordPiece(vocabulary);
    expect(() => tokenizer.encode("low", 2)).toThrow(/above 2, the marks around a text \(got 2\)/);
    expect(() => tokenizer.encode("low", 3, "low")).toThrow(/above 3, the marks around two texts \(got 3\)/);
  });

  it("takes a damaged vocabulary or says in one sentence why not, 300 of them", async () => {
    const whole = Buffer.from(tokens.join("\n"));
    let refused = 0;
    for (let seed = 0; seed < 300; seed++)
      try {
        const tokenizer = await datasets.wordPiece(write("mutated.txt", mutatedBytes(whole, seed)));
        expect(tokenizer.encode("low, running", 8).tokens.every((one) => one < tokenizer.size)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(LutnnError);
        refused++;
      }
    expect(refused).toBeGreaterThan(30);
    expect(refused).toBeLessThan(295);
  });
});
