// From positions in compiled code back to the user's own lines.
import { SourceMap, type SourceMapPayload } from "node:module";
import { columnBefore } from "./compile/edits";
import type { Origin } from "./compile/messages";

/** Compiled code that V8 knows by `name`. */
export interface Script extends Origin {
  /** How V8 names it in stack traces. */
  name: string;
  /** What the user calls it: "cell 3", or a path. */
  title: string;
  /** The user's text. */
  source: string;
}

/** 1-based, as people count. */
export interface Position {
  title: string;
  line: number;
  column: number;
}

/** Characters that are kept in all; beyond it the oldest cells lose their line numbers. */
const capacity = 1 << 21;
/** What a script takes besides its text and maps. */
const overhead = 400;
const scripts = new Map<string, Script>();
let size = 0;

const sizeOf = (script: Script) =>
  overhead +
  script.source.length +
  script.shifts.length * 4 +
  script.maps.reduce((sum, map) => sum + map.length, 0);

export function addScript({ name, title, source, maps, shifts, firstColumn, lines }: Script): void {
  removeScript(name);
  // Only what belongs to it, and in one shape: V8 keeps a description of each shape.
  const script = { name, title, source, maps, shifts, firstColumn, lines };
  scripts.set(name, script);
  size += sizeOf(script);
  for (const oldest of scripts.keys()) {
    if (size <= capacity) break;
    removeScript(oldest);
  }
}

function removeScript(name: string): void {
  const script = scripts.get(name);
  if (!script) return;
  size -= sizeOf(script);
  scripts.delete(name);
}

export const scriptNamed = (name: string | null | undefined): Script | undefined =>
  name ? scripts.get(name) : undefined;

/** The user's position of compiled line and column (1-based), or null for code that only the compiler made. */
export function originalPosition(script: Script, line: number, column: number): Position | null {
  if (line > script.lines) return null;
  const own = column - 1 - (line === 1 ? script.firstColumn : 0);
  if (own < 0) return null;
  let position = { line: line - 1, column: columnBefore(script.shifts, line - 1, own) };
  for (const json of script.maps) {
    const entry = new SourceMap(JSON.parse(json) as SourceMapPayload).findEntry(
      position.line,
      position.column,
    );
    if (!("originalLine" in entry)) return null;
    position = { line: entry.originalLine, column: entry.originalColumn };
  }
  return { title: script.title, line: position.line + 1, column: position.column + 1 };
}

/**
 * Makes every stack trace in this process name the user's lines where it runs through the user's code. A cell may
 * replace this by its own; one that throws costs that stack only.
 */
export function installStackTraces(): void {
  Error.prepareStackTrace = (error, frames) => {
    const isOurs = frames.map((frame) => scriptNamed(frame.getFileName()) !== undefined);
    // Below the cell's outermost frame there is only what the kernel calls it from.
    const own = isOurs.includes(true) ? frames.slice(0, isOurs.lastIndexOf(true) + 1) : frames;
    const lines = own.map(describe).filter((line) => line !== null);
    return [headline(error), ...lines.map((line) => `    at ${line}`)].join("\n");
  };
}

function headline(error: Error): string {
  try {
    return String(error);
  } catch {
    return "Error";
  }
}

/** Null for what the compiler or the kernel put around the user's code. */
function describe(frame: NodeJS.CallSite): string | null {
  const script = scriptNamed(frame.getFileName());
  const [line, column] = [frame.getLineNumber(), frame.getColumnNumber()];
  if (!script || line === null || column === null) return frame.toString();
  const position = originalPosition(script, line, column);
  if (!position) return null;
  const name =
    frame.getFunctionName() === null ? null : frame.toString().replace(/ \([^()]*\)$|^Proxy\./g, "");
  const place = `${position.title}:${position.line}:${position.column}`;
  return name ? `${name} (${place})` : place;
}
