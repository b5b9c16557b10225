import { join } from "node:path";
import { LutnnError } from "../errors";
import { readFileWhole } from "../files/readFile";
import { cellSignal } from "../host/signal";
import { locate } from "./locate";
import type { ReadOptions } from "./setOptions";
import { type DataSource, findFolder } from "./source";
import type { StreamedExamples } from "./streamed";
import { checkTokenizer, type TextOptions } from "./text/encodeTexts";
import { glueExamples } from "./text/glueExamples";
import { type GlueTask, type GlueTaskName, glueTasks } from "./text/glueTasks";

export type GlueOptions = TextOptions & ReadOptions;

/** The names of the tasks. */
export const glueNames = Object.keys(glueTasks) as GlueTaskName[];

/** As the paper of LUT-NN has it: so many tokens for each column of text. */
const tokensPerText = 64;

const files = ["train.tsv", "dev.tsv"];

/** Where a task's files come from; `prefix` is the folder within the archive. */
function sourceOf({ title, archive, unpacked }: GlueTask, prefix: string): DataSource {
  return {
    name: prefix === "" ? title : `glue-${title.toLowerCase()}`,
    url: "https://dl.fbaipublicfiles.com/glue/data",
    files: [archive],
    unpacked: { paths: files.map((name) => `${prefix}${name}`), bytes: unpacked, entries: 50 },
  };
}

/**
 * A task of GLUE (Wang et al., 2019): `sst-2` (is a sentence of a review good), `qqp` (do two questions mean the same), `qnli`
 * (does a sentence answer a question), `rte` (does one text follow from another), as inputs of a BERT (`tokens`, `segments`,
 * `mask`: int32 (sequenceLength), by default 64 for each text of an example). Texts are split as they are asked for. The test
 * part is the published development part (`dev.tsv`), as the answers of GLUE's own test are not public. Files come from
 * `dataFolder`, $LUTNN_DATA, the user's cache or, when allowed, a checked download.
 */
export async function glue(
  name: GlueTaskName,
  options: GlueOptions,
): Promise<{ train: StreamedExamples; test: StreamedExamples }> {
  if (!Object.hasOwn(glueTasks, name))
    throw new LutnnError(
      `glue: the task must be one of ${glueNames.join(", ")} (got ${JSON.stringify(name)})`,
    );
  const task: GlueTask = glueTasks[name];
  checkTokenizer(`glue ${name}`, options.tokenizer);
  const { dataFolder, download, tokenizer, sequenceLength = tokensPerText * task.texts.length } = options;
  const signal = cellSignal(options.signal);
  const { folder, prefix } = await folderOf(task, { dataFolder, download, signal });
  const [train, test] = await Promise.all(
    files.map(async (file) => {
      const path = join(folder, `${prefix}${file}`);
      const bytes = await readFileWhole(path, `glue ${name}`, task.unpacked);
      return glueExamples(task, bytes, `${task.title}/${file}`, { tokenizer, sequenceLength }, signal);
    }),
  );
  return { train, test };
}

/** The folder with a task's files as somebody has laid them down, or with the unpacked archive. */
async function folderOf(
  task: GlueTask,
  options: { dataFolder?: string; download?: boolean; signal: AbortSignal },
): Promise<{ folder: string; prefix: string }> {
  const bare = findFolder(sourceOf(task, ""), options.dataFolder);
  if (bare) return { folder: bare, prefix: "" };
  const prefix = `${task.title}/`;
  return { folder: await locate(sourceOf(task, prefix), options), prefix };
}
