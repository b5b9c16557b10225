// Jupyter counts a cursor in Unicode code points, JavaScript in UTF-16 units.

/** The UTF-16 offset of a code-point offset. */
export function toUtf16(text: string, codePoints: number): number {
  let offset = 0;
  for (let left = codePoints; left > 0 && offset < text.length; left--)
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  return offset;
}

/** The code-point offset of a UTF-16 offset. */
export const toCodePoints = (text: string, offset: number): number => [...text.slice(0, offset)].length;
