import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Figure } from "../../charts/figure";
import { writeFileWhole } from "../../files/writeFile";
import type { FilledTable } from "./filledTable";
import { toPage } from "./page";
import { toChart, toCsv, toJson, toMarkdown } from "./renderings";

/**
 * Writes each table as Markdown, CSV, JSON and, where it has a chart, SVG, and all of them as `index.html`, which can be read
 * alone. Nothing in them says when they were written: equal results give equal bytes.
 */
export async function writeTables(
  tables: readonly FilledTable[],
  folder: string,
  title: string,
): Promise<void> {
  for (const filled of tables) {
    const path = (ending: string) => join(folder, `${filled.spec.id}.${ending}`);
    await writeFileWhole(path("md"), toMarkdown(filled), "reproduce");
    await writeFileWhole(path("csv"), toCsv(filled), "reproduce");
    await writeFileWhole(path("json"), toJson(filled), "reproduce");
    const chart = toChart(filled);
    if (chart) await writeFileWhole(path("svg"), new Figure(chart).toSvg(), "reproduce");
    else await rm(path("svg"), { force: true });
  }
  await writeFileWhole(join(folder, "index.html"), toPage(tables, title), "reproduce");
}
