import { Figure } from "../../charts/figure";
import { escapeMarkup } from "../../host/escapeMarkup";
import { type FilledTable, marked } from "./filledTable";
import { type Finding, findingCells, findingHeadings, findingsOf, findingsTitle } from "./findings";
import { meaningOf, reasonsOf } from "./remarks";
import { toChart } from "./renderings";

const style = `
  body { font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #212121; background: #fff;
    max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 3rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
  p { max-width: 52rem; margin: .5rem 0; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: .3rem .6rem; border-bottom: 1px solid #e0e0e0; text-align: right; vertical-align: bottom; }
  th:first-child, td:first-child { text-align: left; min-width: 11rem; }
  th { font-weight: 600; font-size: .85rem; }
  .findings td:nth-last-child(-n+2), .findings th:nth-last-child(-n+2) { text-align: left; white-space: nowrap; }
  td.published { font-style: italic; } td.notRun, td.none { color: #616161; }
  td.notRun { white-space: nowrap; }
  td.holds { color: #1b5e20; } td.fails { color: #b71c1c; font-weight: 600; }
  .origin { font-size: .85rem; color: #616161; } svg { max-width: 100%; height: auto; margin-top: 1rem; }
  nav { margin: 1rem 0; } nav a { margin-right: 1rem; }`;

/** A table of places, each with a class, under titles. */
function gridOf(titles: readonly string[], rows: readonly { text: string; kind: string }[][], kind = "") {
  const head = titles.map((title) => `<th scope="col">${escapeMarkup(title)}</th>`).join("");
  const body = rows.map((row) => {
    const cells = row.map((cell) => `<td class="${cell.kind}">${escapeMarkup(cell.text)}</td>`);
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<div class="scroll"><table class="${kind}"><thead><tr>${head}</tr></thead><tbody>
${body.join("\n")}
</tbody></table></div>`;
}

/** The name of a verdict's style. */
const styleOf = (verdict: Finding["verdict"]): string =>
  ({ holds: "holds", fails: "fails", "within noise": "withinNoise", "not run": "notRun" })[verdict];

function findingsGrid(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => {
    const texts = findingCells(finding);
    return texts.map((text, at) => ({ text, kind: at === texts.length - 1 ? styleOf(finding.verdict) : "" }));
  });
  return `<h3>${findingsTitle}</h3>\n${gridOf(findingHeadings, rows, "findings")}`;
}

const paragraphs = (texts: readonly string[]): string =>
  texts.map((text) => `<p>${escapeMarkup(text)}</p>`).join("\n");

function section(filled: FilledTable): string {
  const { spec, rows, origin } = filled;
  const chart = toChart(filled);
  const findings = findingsOf(filled);
  const places = rows.map((row) => row.map((cell) => ({ text: marked(cell), kind: cell.kind })));
  const parts = [
    `<h2>${escapeMarkup(spec.title)}</h2>`,
    gridOf(
      spec.columns.map(({ title }) => title),
      places,
    ),
    chart ? new Figure(chart).toSvg() : "",
    paragraphs(meaningOf(filled)),
    findings.length > 0 ? findingsGrid(findings) : "",
    paragraphs(reasonsOf(filled)),
    `<p class="origin">${origin.map(escapeMarkup).join("<br>\n")}</p>`,
  ];
  return `<section id="${spec.id}">\n${parts.filter((part) => part !== "").join("\n")}\n</section>`;
}

const verdicts = ["holds", "within noise", "fails", "not run"] as const;

/** How many expectations of each table came out how. */
function summary(tables: readonly FilledTable[]): string {
  const rows = tables.flatMap((filled) => {
    const findings = findingsOf(filled);
    if (findings.length === 0) return [];
    const counts = verdicts.map((one) => {
      const count = findings.filter(({ verdict }) => verdict === one).length;
      return { text: count === 0 ? "" : String(count), kind: styleOf(one) };
    });
    return [[{ text: filled.spec.id, kind: "" }, ...counts]];
  });
  return rows.length === 0 ? "" : gridOf(["expectations", ...verdicts], rows);
}

/** All tables and charts as one page that needs nothing else, what was expected of them counted at its head. */
export function toPage(tables: readonly FilledTable[], title: string): string {
  const links = tables.map(({ spec }) => `<a href="#${spec.id}">${escapeMarkup(spec.id)}</a>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeMarkup(title)}</title><style>${style}</style></head>
<body><h1>${escapeMarkup(title)}</h1>
<p>Our measurements beside the published figures (in italics), which stand for nothing that we have not measured: a cell
that was not run says so, and why.</p>
<nav>${links.join("")}</nav>
${summary(tables)}
${tables.map(section).join("\n")}
</body></html>
`;
}
