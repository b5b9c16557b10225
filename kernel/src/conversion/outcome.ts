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
