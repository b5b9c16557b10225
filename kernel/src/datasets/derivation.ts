/** From what a selection of examples was made, and what is called on that: ".take(1024)". */
export interface Ancestor {
  from: WeakRef<object>;
  code: string;
}

/** By selection, the nearest ancestor first. */
const ancestors = new WeakMap<object, readonly Ancestor[]>();

/** Notes from what, and by which call, a selection was made; @returns the selection */
export function derived<T>(from: object, code: string, selection: T): T {
  if (typeof selection === "object" && selection !== null && selection !== from) {
    const further = (ancestors.get(from) ?? []).map((one) => ({ from: one.from, code: one.code + code }));
    ancestors.set(selection, [{ from: new WeakRef(from), code }, ...further]);
  }
  return selection;
}

/** A value itself, and from what it was made by which calls: whatever of it has a name can make it again. */
export const origins = (value: object): readonly Ancestor[] => [
  { from: new WeakRef(value), code: "" },
  ...(ancestors.get(value) ?? []),
];

/**
 * TypeScript for the first of some origins that has a name: the name, and the calls on it; null where none has, or they are
 * gone.
 */
export function expressionOf(
  from: readonly Ancestor[],
  nameOf: (value: object) => string | null,
): string | null {
  for (const { from: ancestor, code } of from) {
    const value = ancestor.deref();
    const name = value ? nameOf(value) : null;
    if (name !== null) return name + code;
  }
  return null;
}
