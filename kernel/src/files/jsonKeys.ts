/**
 * A key that an object of a JSON text has twice, or null; JSON.parse would keep the last of them without a word. The text
 * must be valid JSON.
 */
export function repeatedKey(text: string): string | null {
  const open: (Set<string> | null)[] = []; // the keys of each object that is open; null for an array
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(null);
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const start = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === "\\") i++;
      let next = i + 1;
      while (/\s/.test(text[next] ?? "")) next++;
      const keys = open.at(-1);
      if (text[next] !== ":" || !keys) continue;
      const key = JSON.parse(text.slice(start, i + 1)) as string;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return null;
}
