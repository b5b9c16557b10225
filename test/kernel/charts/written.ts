import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect } from "vitest";

/**
 * Compares a text with the one that was looked at and committed. With LUTNN_WRITE_FIGURES=1 in the environment it is written
 * instead: look at what has changed before it is committed.
 */
export function expectWritten(path: string, text: string): void {
  if (process.env.LUTNN_WRITE_FIGURES) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${text}\n`);
  }
  expect(`${text}\n`).toBe(readFileSync(path, "utf8"));
}

/** A figure as a text: its numbers to nine digits, of which another version of the engine may differ in the last of seventeen. */
export function figureText(figure: object): string {
  const rounded = (_: string, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(9)) : value;
  const lines = JSON.stringify(figure, rounded, 1);
  // What holds no lists and objects of its own is one line, as a person reads it.
  return lines.replace(
    /([[{])\s+((?:[^"[\]{}]|"[^"\\]*")*?)\s+([\]}])/g,
    (_, open: string, inner: string, close: string) => open + inner.replace(/,\n\s*/g, ", ") + close,
  );
}
