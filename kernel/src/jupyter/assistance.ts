// What the editor asks for while code is being written: completion, inspection, completeness.
import { toCodePoints, toUtf16 } from "./codePoints";
import type { JsonObject } from "./link";
import type { Tslab } from "./tslab";

/** Content of a complete_reply. */
export function complete(tslab: Tslab, { code, cursor_pos }: JsonObject): object {
  const source = String(code);
  const offset = typeof cursor_pos === "number" ? toUtf16(source, cursor_pos) : source.length;
  const { start, end, candidates, original } = tslab.complete(source, offset);
  const [cursor_start, cursor_end] = [toCodePoints(source, start), toCodePoints(source, end)];
  const kinds = new Map(original?.entries.map(({ name, kind }) => [name, kind]));
  const types = candidates.map((text) => ({
    text,
    type: kinds.get(text) ?? "",
    start: cursor_start,
    end: cursor_end,
  }));
  // JupyterLab shows the kinds, under a name that has stayed experimental.
  const metadata = { _jupyter_types_experimental: types };
  return { status: "ok", matches: candidates, cursor_start, cursor_end, metadata };
}

/** Content of an inspect_reply. */
export function inspect(tslab: Tslab, { code, cursor_pos }: JsonObject): object {
  const source = String(code);
  const offset = typeof cursor_pos === "number" ? toUtf16(source, cursor_pos) : source.length;
  // At the end of a word the word is meant.
  const text = tslab.inspect(source, offset) ?? (offset > 0 ? tslab.inspect(source, offset - 1) : null);
  return {
    status: "ok",
    found: text !== null,
    data: text === null ? {} : { "text/plain": text },
    metadata: {},
  };
}

/** Content of an is_complete_reply. */
export function isComplete(tslab: Tslab, { code }: JsonObject): object {
  return tslab.isComplete(String(code));
}
