import { Figure } from "../../charts/figure";
import { escapeMarkup } from "../../host/escapeMarkup";
import { type FilledTable, marked } from "./filledTable";
import { remarksOf } from "./remarks";
import { toChart } from "./renderings";

const style = `
  body { font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #212121; background: #fff;
    max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 3rem; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: .3rem .6rem; border-bottom: 1px solid #e0e0e0; text-align: right; vertical-align: bottom; }
  th:first-child, td:first-child { text-align: left; }
  th { font-weight: 600; font-size: .85rem; }
  td.published { font-style: italic; } td.notRun, td.none { color: #616161; }
  ul { padding-left: 1.2rem; font-size: .9rem; } svg { max-width: 100%; height: auto; }
  nav a { margin-right: 1rem; }`;

function section(filled: FilledTable): string {
  const { spec, rows } = filled;
  const chart = toChart(filled);
  const head = spec.columns.map(({ title }) => `<th scope="col">${escapeMarkup(title)}</th>`).join("");
  const body = rows
    .map((row) => {
      const cells = row.map((cell) => `<td class="${cell.kind}">${escapeMarkup(marked(cell))}</td>`);
      return `<tr>${cells.join("")}</tr>`;
    })
    .join("\n");
  const remarks = remarksOf(filled).map((remark) => `<li>${escapeMarkup(remark)}</li>`);
  return `<section id="${spec.id}">
<h2>${escapeMarkup(spec.title)}</h2>
<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>
${body}
</tbody></table></div>
<ul>${remarks.join("\n")}</ul>
${chart ? new Figure(chart).toSvg() : ""}
</section>`;
}

/** All tables and charts as one page that needs nothing else. */
export function toPage(tables: readonly FilledTable[], title: string): string {
  const links = tables.map(({ spec }) => `<a href="#${spec.id}">${escapeMarkup(spec.id)}</a>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeMarkup(title)}</title><style>${style}</style></head>
<body><h1>${escapeMarkup(title)}</h1>
<p>Our measurements beside the published figures (in italics), which stand for nothing that we have not measured: a cell
that was not run says so, and why.</p>
<nav>${links.join("")}</nav>
${tables.map(section).join("\n")}
</body></html>
`;
}
