import { stat } from "node:fs/promises";
import { join } from "node:path";
import { LutnnError } from "../../errors";
import { quoted } from "../../files/quoted";
import { readFileWhole } from "../../files/readFile";

/** One text, or two that belong together, as a network receives it: int32 (length) each. */
export interface EncodedText {
  /** Numbers of the tokens: [CLS], the text, [SEP], for two the second and [SEP], then padding. */
  tokens: Int32Array;
  /** 0 for the first text and padding, 1 for the second. */
  segments: Int32Array;
  /** 1 for tokens, 0 for padding. */
  mask: Int32Array;
}

export interface WordPieceOptions {
  /** Of a `vocab.txt`, which does not say it: whether letters lose their case and accents. Default true, as "uncased". */
  lowercase?: boolean;
}

/** What is used of the library's tokenizer; its own types are those of an ES module, which ours cannot name. */
interface Splitter {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  tokenize(text: string, options: { add_special_tokens: boolean }): string[];
  token_to_id(token: string): number | undefined;
}

const [padding, unknown, first, separator] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
const special = [padding, unknown, first, separator];
/** Of a vocabulary's file at most. */
const mostBytes = 2 ** 26;

/** Splits texts into the pieces of words that a BERT knows; by @huggingface/tokenizers, in JavaScript alone. */
export class WordPiece {
  private readonly ids: Record<"padding" | "first" | "separator", number>;

  /** @param tokenizer with a WordPiece model @param size how many tokens there are */
  private constructor(
    private readonly tokenizer: Splitter,
    readonly size: number,
  ) {
    const id = (token: string) => tokenizer.token_to_id(token)!;
    this.ids = { padding: id(padding), first: id(first), separator: id(separator) };
  }

  /**
   * The tokenizer of a `tokenizer.json` or `vocab.txt` (one token a line), or of the folder that holds one of them. Throws
   * LutnnError where there is none, where it is no WordPiece, and where [PAD], [UNK], [CLS] or [SEP] is missing.
   */
  static async read(path: string, { lowercase = true }: WordPieceOptions = {}): Promise<WordPiece> {
    const file = (await isFolder(path)) ? await fileIn(path) : path;
    const text = (await readFileWhole(file, "wordPiece", mostBytes)).toString("utf8");
    const described = file.endsWith(".json") ? parsedJson(text, file) : describedBy(text, file, lowercase);
    const { vocab } = described.model;
    const missing = special.filter((token) => !Object.hasOwn(vocab, token));
    if (missing.length > 0)
      throw new LutnnError(
        `wordPiece: the vocabulary in ${quoted(file)} must have the tokens ${special.join(", ")} (${missing.join(", ")} not found); check that it is a BERT's`,
      );
    const { Tokenizer } = await import("@huggingface/tokenizers");
    try {
      const tokenizer = new Tokenizer(described, {});
      tokenizer.encode("a", { add_special_tokens: false });
      return new WordPiece(tokenizer, Object.keys(vocab).length);
    } catch (error) {
      throw new LutnnError(
        `wordPiece: ${quoted(file)} must describe a whole tokenizer (${(error as Error).message.split("\n")[0].slice(0, 200)}); get it again`,
      );
    }
  }

  /** The pieces of a text, as they are written in the vocabulary; "##" opens those that go on a word. */
  pieces(text: string): string[] {
    return this.tokenizer.tokenize(text, { add_special_tokens: false });
  }

  /**
   * A text, or two that belong together, as `length` tokens: what is too long loses its last pieces, of two texts always
   * the longer one's; what is shorter is padded. Throws LutnnError on a length that has no room for a piece.
   */
  encode(text: string, length: number, pair?: string): EncodedText {
    const marks = pair === undefined ? 2 : 3;
    if (!Number.isInteger(length) || length <= marks)
      throw new LutnnError(
        `wordPiece: length must be an integer above ${marks}, the marks around ${marks - 1 === 1 ? "a text" : "two texts"} (got ${length})`,
      );
    const idsOf = (one: string) => this.tokenizer.encode(one, { add_special_tokens: false }).ids;
    const parts = (pair === undefined ? [text] : [text, pair]).map(idsOf);
    let over = parts.reduce((sum, ids) => sum + ids.length, 0) - (length - marks);
    for (; over > 0; over--) longest(parts).pop();
    const tokens = new Int32Array(length).fill(this.ids.padding);
    const [segments, mask] = [new Int32Array(length), new Int32Array(length)];
    let at = 0;
    const put = (id: number, segment: number) => {
      tokens[at] = id;
      segments[at] = segment;
      mask[at++] = 1;
    };
    put(this.ids.first, 0);
    parts.forEach((ids, segment) => {
      for (const id of ids) put(id, segment);
      put(this.ids.separator, segment);
    });
    return { tokens, segments, mask };
  }
}

/** Of equally long ones the last, as "longest first" is known. */
const longest = (parts: number[][]): number[] =>
  parts.reduce((most, ids) => (ids.length >= most.length ? ids : most));

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null))?.isDirectory() ?? false;

async function fileIn(folder: string): Promise<string> {
  for (const name of ["tokenizer.json", "vocab.txt"]) {
    const path = join(folder, name);
    if (await stat(path).catch(() => null)) return path;
  }
  throw new LutnnError(
    `wordPiece: the folder ${quoted(folder)} must hold tokenizer.json or vocab.txt (it holds neither); give the file's path`,
  );
}

/** What of a tokenizer.json is looked at here; the tokenizer reads the rest. */
interface Described {
  model: { type: string; vocab: Record<string, number>; [setting: string]: unknown };
}

function parsedJson(text: string, file: string): Described {
  let given: Partial<Described> | null;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new LutnnError(
      `wordPiece: ${quoted(file)} must be JSON (${(error as Error).message.slice(0, 200)}); get it again`,
    );
  }
  const vocab: unknown = given?.model?.vocab;
  const numbers = typeof vocab === "object" && vocab !== null ? Object.values(vocab) : [];
  const isWhole = new Set(numbers).size === numbers.length && numbers.every((id) => Number.isInteger(id));
  if (given?.model?.type !== "WordPiece" || numbers.length === 0 || !isWhole)
    throw new LutnnError(
      `wordPiece: ${quoted(file)} must describe a WordPiece tokenizer with a number for each token (got ${quoted(given?.model?.type)}); other kinds are not for a BERT`,
    );
  return given as Described;
}

/** A vocab.txt as a tokenizer.json would describe it. */
function describedBy(text: string, file: string, lowercase: boolean): Described & Record<string, unknown> {
  const tokens = text.split("\n").map((line) => line.replace(/\r$/, ""));
  if (tokens[tokens.length - 1] === "") tokens.pop();
  const vocab: Record<string, number> = Object.create(null);
  tokens.forEach((token, id) => {
    if (token in vocab)
      throw new LutnnError(
        `wordPiece: each line of ${quoted(file)} must be a token of its own (line ${id + 1} is ${quoted(token)} again); get the file again`,
      );
    vocab[token] = id;
  });
  return {
    version: "1.0",
    added_tokens: special
      .concat("[MASK]")
      .filter((content) => content in vocab)
      .map((content) => ({
        id: vocab[content],
        content,
        special: true,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
      })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: unknown,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** {@link WordPiece.read} */
export const wordPiece = (path: string, options?: WordPieceOptions): Promise<WordPiece> =>
  WordPiece.read(path, options);
