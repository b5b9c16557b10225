import { LutnnError } from "../errors";
import { type Alignment, type Grid, gridBundle, gridHtml, gridText } from "../host/bundles/grid";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import { equalDecimals } from "../report/format";

export type Cell = string | number | null;

export interface Column {
  title: string;
  align?: Alignment;
}

/** Cells of a column as text, its numbers with the same decimals. */
function formatted(cells: readonly Cell[]): string[] {
  const numbers = cells.filter((cell) => typeof cell === "number");
  const decimals = equalDecimals(numbers);
  return cells.map((cell) => {
    if (cell === null) return "–";
    return typeof cell === "number" && Number.isFinite(cell) ? cell.toFixed(decimals) : String(cell);
  });
}

/** Rows under titles, numbers of a column with the same decimals: shows itself as a table in a notebook and as aligned text in a terminal. */
export class Table implements Displayable {
  readonly columns: Column[];

  /** @param columns titles; numbers in a column align right by themselves */
  constructor(
    columns: (string | Column)[],
    readonly rows: Cell[][],
    readonly caption = "",
  ) {
    this.columns = columns.map((column) => checked(typeof column === "string" ? { title: column } : column));
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
    const columns = this.columns.map((_, index) => formatted(this.rows.map((row) => row[index] ?? null)));
    return {
      titles: this.columns.map(({ title }) => title),
      alignments: this.columns.map(({ align }, index) => align ?? alignment(columns[index])),
      rows: this.rows.map((_, row) => columns.map((column) => column[row])),
      caption: this.caption,
    };
  }
}

function checked(column: Column): Column {
  const { title, align } = column;
  if (typeof title !== "string")
    throw new LutnnError(`Table: a column's title must be a text (got ${typeof title}); write it as one`);
  if (align !== undefined && align !== "left" && align !== "right")
    throw new LutnnError(
      `Table: a column's align must be "left" or "right" (got ${JSON.stringify(align)} for ${JSON.stringify(title)}); leave it out to have numbers on the right`,
    );
  return column;
}

/** Numbers, with a sign or a unit, stand on the right; what is missing stands in nobody's way. */
function alignment(texts: readonly string[]): Alignment {
  const cells = texts.filter((text) => text !== "–" && text !== "");
  const isNumber = (text: string) => /^[-+±−]?[\d.,]+(e[-+]?\d+)?\s?([%×a-zA-Zµ/]*)$/.test(text);
  return cells.length > 0 && cells.every(isNumber) ? "right" : "left";
}
