import { createHash } from "node:crypto";
import { LutnnError } from "../../errors";
import { yieldToEvents } from "../../host/signal";
import { indexed, type StreamedExamples } from "../streamed";
import { checkTokenizer, type TextOptions, textInputs } from "./encodeTexts";
import type { GlueTask } from "./glueTasks";
import { TsvRows } from "./tsvRows";

/** Rows that are looked at between two turns of the event loop. */
const atOnce = 4096;

/**
 * The examples of one of a task's files: texts are split as they are asked for, so that what is held is the file. Every row
 * is checked first. Throws LutnnError, opened by `file`, on columns and answers that the task does not have.
 */
export async function glueExamples(
  task: GlueTask,
  bytes: Buffer,
  file: string,
  { tokenizer, sequenceLength }: Required<TextOptions>,
  signal: AbortSignal,
): Promise<StreamedExamples> {
  checkTokenizer(task.title, tokenizer);
  const rows = new TsvRows(bytes, file);
  const header = rows.count > 0 ? rows.columns(0) : [];
  const columnOf = (name: string): number => {
    const at = header.indexOf(name);
    if (at >= 0) return at;
    throw new LutnnError(
      `${file}: the first line must name the columns ${[...task.texts, task.label].join(", ")} (got ${JSON.stringify(header.join(" ").slice(0, 120))}); get the file again`,
    );
  };
  const texts = task.texts.map(columnOf);
  const label = columnOf(task.label);
  const placeOf: number[] = [];
  const classes: number[] = [];
  for (let row = 1; row < rows.count; row++) {
    const columns = rows.columns(row);
    if (columns.length !== header.length) {
      if (task.hasShortRows && columns.length < header.length) continue;
      throw rows.fault(row, `have ${header.length} columns`, String(columns.length));
    }
    const answer = task.labels.indexOf(columns[label]);
    if (answer < 0)
      throw rows.fault(
        row,
        `have ${task.labels.join(" or ")} in its column ${task.label}`,
        JSON.stringify(columns[label].slice(0, 80)),
      );
    placeOf.push(row);
    classes.push(answer);
    if (row % atOnce === 0) await yieldToEvents(signal);
  }
  if (placeOf.length === 0)
    throw new LutnnError(
      `${file}: the file must hold examples behind its first line (got none); get it again`,
    );
  return indexed({
    name: task.title.toLowerCase(),
    size: placeOf.length,
    inputs: textInputs(sequenceLength),
    target: { kind: "class", classes: task.labels.length, names: task.names },
    version: createHash("sha256").update(bytes).digest("hex"),
    labels: classes,
    read: (index) => {
      const columns = rows.columns(placeOf[index]);
      const { tokens, segments, mask } = tokenizer.encode(
        columns[texts[0]],
        sequenceLength,
        texts.length > 1 ? columns[texts[1]] : undefined,
      );
      return { inputs: { tokens, segments, mask }, target: classes[index], mask };
    },
  });
}
