import { LutnnError } from "../../errors";

/**
 * Rows of a table with a title line and without quotes, as records of the columns that are asked for; `name` opens the
 * error's sentence.
 */
export function parseTable<Column extends string>(
  text: string,
  name: string,
  separator: string,
  columns: readonly Column[],
): Record<Column, string>[] {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const titles = (lines[0] ?? "").split(separator);
  const places = columns.map((column) => titles.indexOf(column));
  if (places.includes(-1))
    throw new LutnnError(
      `${name}: the table must have the columns ${columns.join(", ")} (got ${JSON.stringify((lines[0] ?? "").slice(0, 200))}); get it again`,
    );
  return lines.slice(1).map((line, row) => {
    const fields = line.split(separator);
    if (fields.length !== titles.length)
      throw new LutnnError(
        `${name}: each row of the table must have ${titles.length} fields (got ${fields.length} in line ${row + 2}); get it again`,
      );
    return Object.fromEntries(columns.map((column, i) => [column, fields[places[i]]])) as Record<
      Column,
      string
    >;
  });
}
