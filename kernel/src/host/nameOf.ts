import { currentHost } from "./host";

let known: Map<object, string | null> | null = null;

/** The notebook's expression for a value; null where no variable holds it, and outside a notebook. */
export function nameOf(value: object): string | null {
  const before = known?.get(value);
  if (before !== undefined) return before;
  const name = currentHost()?.nameOf?.(value) ?? null;
  known?.set(value, name);
  return name;
}

/** Runs work, during which no variable changes, in which each value is looked for once. */
export function askingOnce<T>(work: () => T): T {
  if (known) return work();
  known = new Map();
  try {
    return work();
  } finally {
    known = null;
  }
}
