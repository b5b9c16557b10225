import { type Alignment, type Grid, gridBundle, gridHtml, gridText } from "../host/bundles/grid";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";

export type Cell = string | number | null;

export interface Column {
  title: string;
  align?: Alignment;
}

const format = (cell: Cell): string => (cell === null ? "–" : String(cell));

/** Rows under titles: shows itself as a table in a notebook and as aligned text in a terminal. */
export class Table implements Displayable {
  readonly columns: Column[];

  /** @param columns titles; numbers in a column align right by themselves */
  constructor(
    columns: (string | Column)[],
    readonly rows: Cell[][],
    readonly caption = "",
  ) {
    this.columns = columns.map((column) => (typeof column === "string" ? { title: column } : column));
  }

  toString(): string {
    return gridText(this.grid());
  }

  toHtml(): string {
    return gridHtml(this.grid());
  }

  [displaySymbol](): MimeBundle {
    return gridBundle(this.grid());
  }

  private grid(): Grid {
    return {
      titles: this.columns.map(({ title }) => title),
      alignments: this.columns.map((_, index) => this.alignment(index)),
      rows: this.rows.map((row) => row.map(format)),
      caption: this.caption,
    };
  }

  private alignment(index: number): Alignment {
    const { align } = this.columns[index];
    if (align) return align;
    const cells = this.rows.map((row) => row[index]).filter((cell) => cell !== null);
    return cells.length > 0 && cells.every((cell) => /^[-+±−]?[\d.,]+\s?([%×a-zA-Zµ/]*)$/.test(format(cell)))
      ? "right"
      : "left";
  }
}
