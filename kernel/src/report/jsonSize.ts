/** What a message may hold at most. */
export interface SizeLimits {
  /** Numbers, texts, lists and objects, all levels together. */
  values: number;
  /** Characters of all texts and names together. */
  characters: number;
}

/**
 * A sentence where JSON holds more than it may, else null. It stops there, whatever the rest is, and takes no stack for levels.
 * @param what opens the sentence: "the message"
 */
export function sizeFault(what: string, value: unknown, limits: SizeLimits): string | null {
  const waiting: unknown[] = [value];
  let values = 0;
  let characters = 0;
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === "string") characters += next.length;
    const isList = Array.isArray(next);
    // A long list is not copied to find that it is too long.
    values += isList ? 1 + next.length : 1;
    if (values > limits.values)
      return `${what} must hold at most ${limits.values.toLocaleString("en")} values (it holds more)`;
    if (isList) {
      values -= next.length;
      for (const item of next) waiting.push(item);
    } else if (typeof next === "object" && next !== null)
      for (const [name, item] of Object.entries(next)) {
        characters += name.length;
        waiting.push(item);
      }
    if (characters > limits.characters)
      return `${what} must hold at most ${limits.characters.toLocaleString("en")} characters (it holds more)`;
  }
  return null;
}
