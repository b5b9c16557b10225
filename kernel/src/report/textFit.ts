// Whether texts fit, from their number of letters: figures are built without a page to measure in. Pixels.

/** The width of a letter, generous for the charts' font size of 12. */
export const letterWidth = 7;
const legendSymbol = 45;

/** Shortens to a number of letters. The end of a layer's name says more than its beginning. */
export function shorten(name: string, letters: number): string {
  return name.length <= letters ? name : `…${name.slice(1 - letters)}`;
}

/** Breaks at spaces; a word that is too long stays whole. */
export function breakLines(phrase: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of phrase.split(" ")) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && longer.length * letterWidth > width) lines.push(word);
    else lines[Math.max(0, lines.length - 1)] = longer;
  }
  return lines;
}

/** The rows that plotly needs for a horizontal legend. */
export function legendRows(names: string[], width: number): number {
  let rows = 1;
  let filled = 0;
  for (const name of names) {
    const entry = legendSymbol + name.length * letterWidth;
    if (filled > 0 && filled + entry > width) {
      rows++;
      filled = 0;
    }
    filled += entry;
  }
  return rows;
}

/** The buttons in a figure's upper right corner, seen while the pointer is over it. */
export const buttons = { width: 120, height: 24 };

/** Where a horizontal legend goes at the top of a figure: beside the buttons where it is short, else below them. */
export function legendPlace(names: string[], width: number): { top: number; rows: number } {
  const length = names.reduce((sum, name) => sum + legendSymbol + name.length * letterWidth, 0);
  return { top: length <= width - buttons.width ? 0 : buttons.height, rows: legendRows(names, width) };
}
