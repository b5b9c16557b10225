/** Names that a sentence shows. */
const most = 6;

const some = (names: readonly string[]): string =>
  names.length > most
    ? `${names.slice(0, most).join(", ")} and ${names.length - most} more`
    : names.join(", ");

/** "missing: a, b; not known: c" of kinds of faults and the tensors that have them; "" where none has. */
export const faultsText = (faults: readonly (readonly [string, readonly string[]])[]): string =>
  faults
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what}: ${some(names)}`)
    .join("; ");
