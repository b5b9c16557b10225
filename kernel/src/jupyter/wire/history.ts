import type { HistoryEntry, JsonObject } from "../link";
import { HistoryFile, type StoredEntry } from "./historyFile";

/** Lines in memory; beyond it the older half is forgotten. */
const longest = 20_000;

/** The input history of this and earlier sessions, for history_request. */
export class History {
  private readonly file: HistoryFile;
  private entries: StoredEntry[];
  private readonly session: number;

  /** @param path of the file that keeps it, or "" to keep nothing */
  constructor(path: string) {
    this.file = new HistoryFile(path);
    this.entries = this.file.read();
    this.session = 1 + this.entries.reduce((newest, { session }) => Math.max(newest, session), 0);
  }

  /** Adds a line; adding it again gives it its output. */
  add({ line, source, output }: HistoryEntry): void {
    const entry = { session: this.session, line, source, output };
    const last = this.entries.at(-1);
    if (last?.session === this.session && last.line === line) this.entries.pop();
    this.entries.push(entry);
    this.entries = this.file.append(entry) ?? this.entries;
    if (this.entries.length > longest) this.entries.splice(0, longest / 2);
  }

  /** The content of a history_reply. */
  answer(request: JsonObject): JsonObject {
    const history = this.select(request).map(({ session, line, source, output }) => [
      session,
      line,
      request.output === true ? [source, output] : source,
    ]);
    return { status: "ok", history };
  }

  private select({ hist_access_type, n, session, start, stop, pattern, unique }: JsonObject): StoredEntry[] {
    const limit = typeof n === "number" ? Math.max(0, Math.trunc(n)) : this.entries.length;
    const newest = (entries: StoredEntry[]) => entries.slice(Math.max(0, entries.length - limit));
    if (hist_access_type === "tail") return newest(this.entries);
    if (hist_access_type === "search") {
      const glob = globExpression(typeof pattern === "string" ? pattern : "*");
      const matches = this.entries.filter(({ source }) => glob.test(source));
      if (unique !== true) return newest(matches);
      const last = new Map(matches.map((entry) => [entry.source, entry]));
      return newest(matches.filter((entry) => last.get(entry.source) === entry));
    }
    if (hist_access_type !== "range") return [];
    const number = typeof session === "number" ? session : 0;
    // 0 is the current session, -1 the one before.
    const wanted = number > 0 ? number : this.session + number;
    const from = typeof start === "number" ? start : 0;
    const to = typeof stop === "number" ? stop : Number.POSITIVE_INFINITY;
    return this.entries.filter((each) => each.session === wanted && each.line >= from && each.line < to);
  }
}

/** Shell-style pattern over a whole text: `*`, `?` and `[…]`. A set that is none matches nothing. */
function globExpression(pattern: string): RegExp {
  let expression = "";
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    const setEnd = character === "[" ? pattern.indexOf("]", at + 2) : -1;
    if (character === "*") expression += "[\\s\\S]*";
    else if (character === "?") expression += "[\\s\\S]";
    else if (setEnd > 0) {
      const [, not, set] = /^([!^]?)([\s\S]*)$/.exec(pattern.slice(at + 1, setEnd)) ?? [];
      expression += `[${not ? "^" : ""}${set.replace(/[\\\]^]/g, "\\$&")}]`;
      at = setEnd;
    } else expression += character.replace(/[\\^$.|+(){}[\]]/, "\\$&");
  }
  try {
    return new RegExp(`^${expression}$`);
  } catch {
    return /^\b$/;
  }
}
