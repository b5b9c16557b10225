// What the editor asks for while code is being written: contents of the replies.
import type { JsonObject } from "../link";
import type { CellCompiler } from "./cellCompiler";
import { toCodePoints, toUtf16 } from "./codePoints";

export const assistance: Record<string, (compiler: CellCompiler, content: JsonObject) => object> = {
  complete_request(compiler, content) {
    const { source, offset } = cursorIn(content);
    const { start, end, entries } = compiler.complete(source, offset);
    const [cursor_start, cursor_end] = [toCodePoints(source, start), toCodePoints(source, end)];
    const types = entries.map(({ name, kind }) => ({
      text: name,
      type: kind,
      start: cursor_start,
      end: cursor_end,
    }));
    const candidates = entries.map(({ name }) => name);
    // JupyterLab shows the kinds, under a name that has stayed experimental.
    const metadata = { _jupyter_types_experimental: types };
    return { status: "ok", matches: candidates, cursor_start, cursor_end, metadata };
  },

  inspect_request(compiler, content) {
    const { source, offset } = cursorIn(content);
    // At the end of a word the word is meant.
    const text =
      compiler.inspect(source, offset) ?? (offset > 0 ? compiler.inspect(source, offset - 1) : null);
    const data = text === null ? {} : { "text/plain": text };
    return { status: "ok", found: text !== null, data, metadata: {} };
  },

  is_complete_request: (compiler, { code }) => compiler.isComplete(String(code)),
};

function cursorIn({ code, cursor_pos }: JsonObject): { source: string; offset: number } {
  const source = String(code);
  return { source, offset: typeof cursor_pos === "number" ? toUtf16(source, cursor_pos) : source.length };
}
