import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";

/** What a command has done, in one sentence; shows itself. */
export class Outcome implements Displayable {
  constructor(
    /** "replaced conv2 by least squares; 1 of 5 layers is replaced". */
    readonly sentence: string,
    /** What else the user should know, a sentence each. */
    readonly warnings: readonly string[] = [],
  ) {}

  toString(): string {
    return [this.sentence, ...this.warnings.map((warning) => `Warning: ${warning}`)].join("\n");
  }

  [displaySymbol](): MimeBundle {
    return { "text/plain": this.toString() };
  }
}

/** "a", "a and b", "a, b and c". */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

const namesAtMost = 3;

/** A few names, and how many more there are. */
export const some = (names: readonly string[]): string =>
  names.length <= namesAtMost + 1
    ? listed(names)
    : `${names.slice(0, namesAtMost).join(", ")} and ${names.length - namesAtMost} more`;

/** Names with a reason each, gathered: "a and b (why), c (why else)"; empty where there are none. */
export function byReason(reasons: Iterable<readonly [name: string, reason: string]>): string {
  const names = new Map<string, string[]>();
  for (const [name, reason] of reasons) names.set(reason, [...(names.get(reason) ?? []), name]);
  return [...names].map(([reason, all]) => `${some(all)} (${reason})`).join(", ");
}
