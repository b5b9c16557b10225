import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { HistoryEntry } from "../link";
import { log } from "../log";

export interface StoredEntry extends HistoryEntry {
  session: number;
}

/** A file that has grown beyond this many bytes is written anew, with the newest entries of half this size. */
const capacity = 1 << 22;
/** Characters of a result that are kept. */
const longestOutput = 1 << 13;

/**
 * The history on disk: one JSON object a line, appended, so that kernels may share it. A line that repeats the
 * session and line number of an earlier one replaces it. What cannot be read or written costs the history, never the
 * kernel.
 */
export class HistoryFile {
  private size = 0;
  private broken = false;
  /** A line that a killed kernel has left half-written is ended first. */
  private beforeNext = "";

  /** @param path "" for a history that ends with the kernel */
  constructor(private readonly path: string) {}

  /** All entries, oldest first. */
  read(): StoredEntry[] {
    if (this.path === "") return [];
    const entries = new Map<string, StoredEntry>();
    try {
      const text = readFileSync(this.path, "utf8");
      this.size = Buffer.byteLength(text);
      this.beforeNext = text === "" || text.endsWith("\n") ? "" : "\n";
      for (const line of text.split("\n")) {
        const entry = parse(line);
        if (entry) entries.set(`${entry.session} ${entry.line}`, entry);
      }
    } catch {
      // There is none yet.
    }
    return [...entries.values()];
  }

  /** @returns what is left when the file had become too large, else null */
  append(entry: StoredEntry): StoredEntry[] | null {
    if (this.path === "" || this.broken) return null;
    const line = serialize(entry);
    try {
      if (this.size === 0) mkdirSync(dirname(this.path), { recursive: true });
      appendFileSync(this.path, this.beforeNext + line, { mode: 0o600 });
      this.beforeNext = "";
      this.size = statSync(this.path).size;
      return this.size > capacity ? this.shorten() : null;
    } catch (error) {
      this.broken = true;
      log(`the history is not kept any more: ${String(error)}`);
      return null;
    }
  }

  private shorten(): StoredEntry[] {
    const all = this.read();
    let size = 0;
    let first = all.length;
    while (first > 0 && size < capacity / 2) size += Buffer.byteLength(serialize(all[--first]));
    all.splice(0, first);
    const draft = `${this.path}.${process.pid}`;
    writeFileSync(draft, all.map(serialize).join(""), { mode: 0o600 });
    renameSync(draft, this.path);
    this.size = size;
    return all;
  }
}

const serialize = (entry: StoredEntry) =>
  `${JSON.stringify({ ...entry, output: entry.output?.slice(0, longestOutput) ?? null })}\n`;

function parse(line: string): StoredEntry | null {
  try {
    const { session, line: number, source, output } = JSON.parse(line);
    if (!Number.isInteger(session) || !Number.isInteger(number) || typeof source !== "string") return null;
    return { session, line: number, source, output: typeof output === "string" ? output : null };
  } catch {
    return null;
  }
}
