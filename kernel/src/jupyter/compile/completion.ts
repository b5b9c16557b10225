import type typescript from "typescript";
import type { Ts } from "./compilerApi";

/** What may stand at the cursor, the likeliest first, and the range of the text that it replaces (UTF-16 units). */
export interface Completion {
  start: number;
  end: number;
  entries: { name: string; kind: string }[];
}

const word = /[\p{ID_Continue}$#]/u;

/** @param offset of the cursor in the text of `path`, in UTF-16 units */
export function complete(
  service: typescript.LanguageService,
  path: string,
  text: string,
  offset: number,
): Completion {
  const known = service.getCompletionsAtPosition(path, offset, {})?.entries ?? [];
  let [start, end] = [offset, offset];
  while (start > 0 && word.test(text[start - 1])) start--;
  while (end < text.length && word.test(text[end])) end++;
  const typed = text.slice(start, end);
  const ranked = known.flatMap((entry) => {
    const rank = rankOf(entry.name, typed);
    return rank === null ? [] : [{ rank, entry }];
  });
  ranked.sort(
    (a, b) =>
      a.rank - b.rank ||
      compare(a.entry.sortText, b.entry.sortText) ||
      (typed === "" ? compare(a.entry.name, b.entry.name) : 0),
  );
  return { start, end, entries: ranked.map(({ entry: { name, kind } }) => ({ name, kind })) };
}

/** Names that begin as typed come first, then those that do so in another case, then those that contain it. */
function rankOf(name: string, typed: string): number | null {
  if (name.startsWith(typed)) return 0;
  const [lowerName, lowerTyped] = [name.toLowerCase(), typed.toLowerCase()];
  if (lowerName.startsWith(lowerTyped)) return 1;
  return lowerName.includes(lowerTyped) ? 2 : null;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What an editor shows about a name: its type, its documentation, and the tags of that. */
export function printInfo(ts: Ts, info: typescript.QuickInfo): string {
  const text = ts.displayPartsToString;
  const tags = (info.tags ?? []).map((tag) => `@${tag.name} ${text(tag.text)}`.trimEnd());
  const documentation = [text(info.documentation), ...tags].filter((each) => each !== "");
  return [text(info.displayParts), ...(documentation.length > 0 ? ["", ...documentation] : [])].join("\n");
}
