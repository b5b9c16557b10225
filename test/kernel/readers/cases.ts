import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { labelsOf } from "../../../kernel/lib/datasets/cifar10";
import { decodeJpeg } from "../../../kernel/lib/datasets/formats/jpeg";
import { matArrays, matNumbers } from "../../../kernel/lib/datasets/formats/mat";
import { parsePpm } from "../../../kernel/lib/datasets/formats/ppm";
import { parseWav } from "../../../kernel/lib/datasets/formats/wav";
import { tableExamples } from "../../../kernel/lib/datasets/gtsrb";
import { parseSynsets } from "../../../kernel/lib/datasets/imageNet";
import { listOf } from "../../../kernel/lib/datasets/speechCommands";
import { unpackedSvhn } from "../../../kernel/lib/datasets/svhn";
import { glueExamples } from "../../../kernel/lib/datasets/text/glueExamples";
import { glueTasks } from "../../../kernel/lib/datasets/text/glueTasks";
import { ratedSentences } from "../../../kernel/lib/datasets/text/ratedSentences";
import { tarMember } from "../../../kernel/lib/datasets/text/tarMember";
import { WordPiece } from "../../../kernel/lib/datasets/text/wordPiece";
import { ageOf } from "../../../kernel/lib/datasets/utkFace";
import { unpackArchives } from "../../../kernel/lib/files/unpack/unpack";
import { type Random, seededRandom } from "../../../kernel/lib/pq/random";
import { mutatedBytes } from "../files/mutate";

/** Reads one mutated file; it must be read, or refused in a sentence of ours. */
export type Attempt = (seed: number) => unknown;

const signal = new AbortController().signal;
const limits = { bytes: 1 << 20, entries: 50 };

/** Writes the files that are mutated, and gives what reads each kind of them. */
export function readerCases(root: string): Record<string, Attempt> {
  const python = join(import.meta.dirname, "../../../.venv/bin/python");
  const made = join(root, "made");
  mkdirSync(made);
  execFileSync(python, [join(import.meta.dirname, "make.py"), made]);
  const whole = (name: string) => readFileSync(join(made, name));
  /** Puts mutated bytes into a file for readers that want one. */
  const inFile = (name: string, bytes: Uint8Array) => {
    const path = join(root, name);
    writeFileSync(path, bytes);
    return path;
  };

  const unpacking = (name: string, mutated: (seed: number) => Uint8Array): Attempt => {
    const place = join(root, `unpack-${name}`);
    const folder = join(place, "inner/set");
    return async (seed) => {
      mkdirSync(join(place, "inner"), { recursive: true });
      try {
        await unpackArchives([inFile(name, mutated(seed))], folder, limits, signal);
        if (!existsSync(folder)) throw new Error("there is no folder");
      } finally {
        rmSync(folder, { recursive: true, force: true });
        const left = [...readdirSync(place), ...readdirSync(join(place, "inner"))].join();
        rmSync(place, { recursive: true });
        // biome-ignore lint/correctness/noUnsafeFinally: what is left behind is the worse fault
        if (left !== "inner") throw new Error(`left behind: ${left}`);
      }
    };
  };
  const tar = whole("a.tar");
  const parts = { packed: whole("packed.mat"), plain: whole("plain.mat"), batch: whole("batch.bin") };
  const pictures = ["a.jpg", "progressive.jpg", "a.png"].map(whole);
  const [ppm, wav, zip] = ["a.ppm", "a.wav", "a.zip"].map(whole);
  const [signs, list, synsets] = ["signs.csv", "list.txt", "synsets.txt"].map(whole);

  const rated = Buffer.from("1\t2.5\ta good film\r\n2\t-3\tthe worst , ever\r\n3\t0.1\tseen\r\n");
  const archive = gzipSync(tar);
  const words = Buffer.from("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\ngood\nfilm\nun\n##seen\n-\n,\n");
  const vocab = Object.fromEntries(
    words
      .toString()
      .trim()
      .split("\n")
      .map((word, id) => [word, id]),
  );
  const json = Buffer.from(
    JSON.stringify({
      added_tokens: [{ id: 0, content: "[PAD]", special: true }],
      normalizer: { type: "BertNormalizer", lowercase: true },
      pre_tokenizer: { type: "BertPreTokenizer" },
      model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", vocab },
    }),
  );
  const tokenizer = WordPiece.read(inFile("vocab.txt", words));
  const glueFiles = [
    ["sst-2", Buffer.from("sentence\tlabel\na good film\t1\nthe worst\t0\n")],
    [
      "rte",
      Buffer.from("index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n1\tc\td\tnot_entailment\n"),
    ],
  ] as const;

  return {
    tar: unpacking("m.tar", (seed) => (seed % 2 ? mutatedBytes(tar, seed) : mutatedTar(tar, seed))),
    "tar.gz": unpacking("m.tar.gz", (seed) =>
      seed % 2 ? mutatedBytes(gzipSync(tar), seed) : gzipSync(mutatedTar(tar, seed)),
    ),
    zip: unpacking("m.zip", (seed) => mutatedBytes(zip, seed)),
    mat: async (seed) => {
      const path = inFile("m.mat", mutatedHead(seed % 4 ? parts.plain : parts.packed, seed));
      for await (const array of matArrays(path, signal)) await matNumbers(array, 10_000);
    },
    svhn: async (seed) => {
      const path = inFile("m.mat", mutatedHead(seed % 2 ? parts.plain : parts.packed, seed));
      rmSync((await unpackedSvhn(path, signal)).path);
    },
    cifar10: (seed) => labelsOf(inFile("m.bin", mutatedBytes(parts.batch, seed)), signal),
    ppm: (seed) => parsePpm(seed % 2 ? mutatedBytes(ppm, seed) : mutatedHead(ppm, seed, 16), "f"),
    jpeg: (seed) => decodeJpeg(mutatedHead(pictures[seed % 3], seed), "f"),
    wav: (seed) => parseWav(mutatedHead(wav, seed, 60), "f", { rate: 16_000, most: 16_000 }),
    gtsrb: (seed) => tableExamples(inFile("m.csv", mutatedBytes(signs, seed)), "", null),
    "speech-commands": (seed) => listOf(inFile("m.txt", mutatedBytes(list, seed))),
    imagenet: (seed) => parseSynsets(mutatedBytes(synsets, seed).toString(), "f"),
    "movie-snippets": (seed) => ratedSentences(mutatedBytes(rated, seed), "f"),
    "movie-snippets' archive": (seed) => {
      const bytes = seed % 2 ? mutatedBytes(archive, seed) : gzipSync(mutatedTar(tar, seed));
      return tarMember(inFile("r.tar.gz", bytes), "set/a.txt", 1 << 16, "f");
    },
    glue: async (seed) => {
      const [task, rows] = glueFiles[seed % glueFiles.length];
      const options = { tokenizer: await tokenizer, sequenceLength: 12 };
      await glueExamples(glueTasks[task], mutatedBytes(rows, seed), "f", options, signal);
    },
    tokenizer: async (seed) => {
      const read =
        seed % 2 ? inFile("v.txt", mutatedBytes(words, seed)) : inFile("t.json", mutatedBytes(json, seed));
      (await WordPiece.read(read)).encode("a good film, un-seen", 10);
    },
    utkface: (seed) => ageOf(mutatedBytes(Buffer.from("26_1_0_20170116.jpg.chip.jpg"), seed).toString()),
  };
}

/** Mutated all over, or in its first bytes alone, where descriptions stand. */
function mutatedHead(bytes: Buffer, seed: number, head = 600): Buffer {
  if (seed % 3 === 0) return mutatedBytes(bytes, seed);
  return Buffer.concat([mutatedBytes(bytes.subarray(0, head), seed), bytes.subarray(head)]);
}

const block = 512;
/** Values that a field of a tar header may be given: types, paths, sizes. */
const fields: readonly [at: number, values: readonly string[]][] = [
  [
    0,
    [
      "../up",
      "/tmp/lutnn-fuzz",
      "a\\..\\b",
      "",
      "./",
      "set/a.txt",
      "\u0001",
      "C:x",
      "\ud83d",
      "x/".repeat(49),
    ],
  ],
  [
    124,
    [
      "77777777777",
      "00000000000",
      "-0000000001",
      "99999999999",
      "\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01",
    ],
  ],
  [156, ["1", "2", "3", "4", "5", "6", "7", "L", "K", "x", "g", "S", "V", "\u0000", "Z"]],
  [157, ["/etc/passwd", "../.."]],
  [257, ["ustar\u000000", "ustar  \u0000", "nothing"]],
  [345, ["..", "/", "a/../.."]],
];

/** A tar archive with fields of its headers changed and its checksums right, so that the change is looked at. */
function mutatedTar(tar: Buffer, seed: number): Buffer {
  const random = seededRandom(seed, "tar");
  const made = Buffer.from(tar);
  const headers = Array.from({ length: made.length / block }, (_, i) => i * block).filter((at) =>
    made.subarray(at + 257, at + 262).equals(Buffer.from("ustar")),
  );
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
    const header = headers[Math.floor(random() * headers.length)];
    if (random() < 0.3) made[header + Math.floor(random() * block)] = Math.floor(random() * 256);
    else writeField(made, header, random);
  }
  for (const header of headers) {
    made.fill(" ", header + 148, header + 156);
    const sum = made.subarray(header, header + block).reduce((total, byte) => total + byte, 0);
    made.write(`${sum.toString(8).padStart(6, "0")}\0 `, header + 148, "latin1");
  }
  return made;
}

function writeField(made: Buffer, header: number, random: Random): void {
  const [at, values] = fields[Math.floor(random() * fields.length)];
  made.write(values[Math.floor(random() * values.length)], header + at, "latin1");
}
