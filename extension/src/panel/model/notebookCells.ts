/**
 * The cell of a layer: the last code cell whose text names it in quotes, else the last one that declares the
 * conversion's variable. Returns its index, or -1.
 */
export function cellOfLayer(sources: readonly (string | null)[], layer: string, variable: string): number {
  const quoted = ['"', "'", "`"].map((quote) => `${quote}${layer}${quote}`);
  const names = (source: string | null) => source !== null && quoted.some((text) => source.includes(text));
  const named = sources.findLastIndex(names);
  if (named >= 0 || !/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(variable)) return named;
  const declares = new RegExp(
    `\\b(?:const|let|var)\\s+${variable.replaceAll("$", "\\$")}(?![\\p{L}\\p{N}_$])`,
    "u",
  );
  return sources.findLastIndex((source) => source !== null && declares.test(source));
}
