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
export const figureText = (figure: object): string =>
  JSON.stringify(figure, (_, value) => (typeof value === "number" ? Number(value.toPrecision(9)) : value), 1);
