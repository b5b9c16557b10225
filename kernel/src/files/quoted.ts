/** Anything for sentences: quoted, control characters escaped, not endless, however deep it is. */
export function quoted(value: unknown): string {
  const text = jsonText(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** The JSON text of anything; of what is too deep a text that says so. */
function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "something nested too deeply"; // JSON.parse takes what is deeper than JSON.stringify does
  }
}
