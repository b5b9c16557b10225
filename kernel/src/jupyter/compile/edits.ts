/**
 * Where columns went when text was edited, as groups of four numbers in the order of the new text: line and column of the
 * new text from which on a piece stands, the column where it stood before, and 1 if it is new text that stands for that
 * one place. Lines and columns count from 0.
 */
export type Shifts = number[];

interface Edit {
  start: number;
  end: number;
  text: string;
}

/** Changes of a text that leave its lines as they are. */
export class Edits {
  private readonly edits: Edit[] = [];

  /** What is put at the same place comes out in the order of these calls. */
  insert(at: number, text: string): void {
    this.edits.push({ start: at, end: at, text });
  }

  /** @param text replaces what is there; line breaks that it lacks are added, so that later lines stay where they are */
  replace(source: string, start: number, end: number, text: string): void {
    const lines = source.slice(start, end).split("\n").length - text.split("\n").length;
    this.edits.push({ start, end, text: text + "\n".repeat(Math.max(0, lines)) });
  }

  apply(source: string): { text: string; shifts: Shifts } {
    const edits = this.edits.map((edit, index) => ({ ...edit, index }));
    edits.sort((a, b) => a.start - b.start || a.index - b.index);
    const shifts: Shifts = [];
    const pieces: string[] = [];
    let line = 0;
    // Columns after which the current line of the old and the new text goes on.
    let [oldColumn, newColumn, position] = [0, 0, 0];
    const copy = (end: number) => {
      const piece = source.slice(position, end);
      pieces.push(piece);
      const breaks = piece.split("\n");
      if (breaks.length > 1) {
        line += breaks.length - 1;
        oldColumn = newColumn = 0;
      }
      oldColumn += breaks[breaks.length - 1].length;
      newColumn += breaks[breaks.length - 1].length;
      position = end;
    };
    for (const { start, end, text } of edits) {
      copy(start);
      shifts.push(line, newColumn, oldColumn, 1);
      pieces.push(text);
      const added = text.split("\n");
      if (added.length > 1) line += added.length - 1;
      newColumn = added.length > 1 ? added[added.length - 1].length : newColumn + text.length;
      const removed = source.slice(start, end).split("\n");
      oldColumn = removed.length > 1 ? removed[removed.length - 1].length : oldColumn + end - start;
      position = end;
      shifts.push(line, newColumn, oldColumn, 0);
    }
    copy(source.length);
    return { text: pieces.join(""), shifts };
  }
}

/** The column that a place of the edited text had before. */
export function columnBefore(shifts: Shifts, line: number, column: number): number {
  let before = column;
  for (let at = 0; at < shifts.length; at += 4) {
    const [shiftLine, start, old, isNew] = shifts.slice(at, at + 4);
    if (shiftLine > line || (shiftLine === line && start > column)) break;
    if (shiftLine === line) before = isNew ? old : old + column - start;
  }
  return before;
}
