import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { LutnnError } from "../errors";
import { fileError } from "../files/fileError";
import { quoted } from "../files/quoted";
import { readFileWhole } from "../files/readFile";
import { decodedFiles } from "./decoding/decodedFiles";
import type { SoundRecipe } from "./decoding/recipe";
import { NameTable } from "./nameTable";
import { digestOf, openSet, type SetOptions } from "./setOptions";
import type { DataSource } from "./source";
import type { StreamedExamples } from "./streamed";

const lists = { validation: "validation_list.txt", test: "testing_list.txt" };

/** Speech Commands, version 2 (Warden, 2018; CC BY 4.0): 105,829 recordings of 35 words, a second each at 16 kHz. */
export const speechCommandsSource: DataSource = {
  name: "speech-commands",
  url: "https://storage.googleapis.com/download.tensorflow.org/data",
  files: [
    {
      name: "speech_commands_v0.02.tar.gz",
      bytes: 2_428_923_189,
      sha256: "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
    },
  ],
  unpacked: { paths: Object.values(lists), bytes: 6_000_000_000, entries: 200_000 },
  folders: ["speech_commands_v0.02", "SpeechCommands/speech_commands_v0.02"],
};

/** The classes, in their order. */
export const speechWords = [
  ...["backward", "bed", "bird", "cat", "dog", "down", "eight", "five", "follow", "forward", "four", "go"],
  ...["happy", "house", "learn", "left", "marvin", "nine", "no", "off", "on", "one", "right", "seven"],
  ...["sheila", "six", "stop", "three", "tree", "two", "up", "visual", "wow", "yes", "zero"],
];
const mostList = 16 << 20;

/**
 * Speech Commands: input `spectrogram` float32 (32 mel bands, 32 frames, 1) of a second at 16 kHz (shorter recordings
 * end in silence), 35 words. Profile `paper`: mel power; `plus`: its natural logarithm, 1e-6 added. Parts as the authors'
 * lists have them.
 */
export async function speechCommands(
  options: SetOptions = {},
): Promise<{ train: StreamedExamples; validation: StreamedExamples; test: StreamedExamples }> {
  const { folder, profile, seed } = await openSet(speechCommandsSource, options);
  const validation = await listOf(join(folder, lists.validation));
  const test = await listOf(join(folder, lists.test));
  const held = new Set([...validation, ...test]);
  const train = (await Promise.all(speechWords.map((word) => recordingsOf(folder, word))))
    .flat()
    .filter((file) => !held.has(file));
  const recipe: SoundRecipe = { kind: "sound", logarithm: profile === "plus" };
  const part = (list: readonly string[], which: string) => {
    if (list.length === 0)
      throw new LutnnError(
        `speech-commands: ${folder} must hold recordings for ${which} (it holds none); get the set again`,
      );
    const files = new NameTable(list);
    const labels = Int32Array.from(list, (file) => speechWords.indexOf(file.slice(0, file.indexOf("/"))));
    return decodedFiles({
      name: "speech-commands",
      input: { name: "spectrogram", shape: [32, 32, 1] },
      target: { kind: "class", classes: speechWords.length, names: speechWords },
      folder,
      files,
      labels,
      version: digestOf(JSON.stringify(recipe), files.digest(), labels),
      recipe,
      seed,
    });
  };
  return {
    train: part(train, "training"),
    validation: part(validation, "validation"),
    test: part(test, "testing"),
  };
}

const isRecording = (name: string) => /^[\w-]+\.wav$/.test(name);

async function recordingsOf(folder: string, word: string): Promise<string[]> {
  const path = join(folder, word);
  const found = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    throw fileError("speech-commands", path, error);
  });
  return found
    .filter(isRecording)
    .sort()
    .map((name) => `${word}/${name}`);
}

/** Paths "word/recording.wav", a line each. Throws LutnnError on another. */
export async function listOf(path: string): Promise<string[]> {
  const text = (await readFileWhole(path, "speech-commands", mostList, "get it again")).toString("utf8");
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  for (const [i, line] of lines.entries()) {
    const [word, name, ...more] = line.split("/");
    if (!speechWords.includes(word) || !isRecording(name ?? "") || more.length > 0)
      throw new LutnnError(
        `${path}: each line must be one of the ${speechWords.length} words and a recording (got ${quoted(line)} in line ${i + 1}); get it again`,
      );
  }
  return lines;
}
