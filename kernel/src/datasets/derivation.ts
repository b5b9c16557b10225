/** From what a selection of examples was made, and what is called on that: ".take(1024)". */
interface Ancestor {
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

/**
 * TypeScript that makes a value: the name that it has, or the calls by which it was made of examples that have a name; null
 * where nothing has.
 */
export function expressionOf(value: object, nameOf: (value: object) => string | null): string | null {
  const own = nameOf(value);
  if (own !== null) return own;
  for (const { from, code } of ancestors.get(value) ?? []) {
    const ancestor = from.deref();
    const name = ancestor ? nameOf(ancestor) : null;
    if (name !== null) return name + code;
  }
  return null;
}
