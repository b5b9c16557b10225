import type { ErrorAccumulationReport } from "../../kernel/src/report/errorAccumulation";
import {
  errorMarks,
  errorMeasures,
  formatError,
  formatLayer,
  formatMetric,
} from "../../kernel/src/report/format";
import type { ErrorMeasure } from "./errorFigure";

/** The figures of the chart as text: a row for each layer, three columns for each series. */
export function errorTable(report: ErrorAccumulationReport, measure: ErrorMeasure): HTMLTableElement {
  const { layers, series, metric } = report;
  const table = document.createElement("table");
  table.createCaption().textContent = `${errorMeasures[measure]} of this layer alone and accumulated, and ${metric.name} with the layers up to this one replaced. Dense network: ${formatMetric(metric.dense, metric)}.`;

  const head = table.createTHead();
  const names = head.insertRow();
  for (const title of ["Layer", "Operation"]) header(names, title, "col").rowSpan = 2;
  const columns = head.insertRow();
  for (const one of series) {
    header(names, one.name, "colgroup").colSpan = 3;
    for (const title of [errorMarks.local, errorMarks.accumulated, metric.name])
      header(columns, title, "col");
  }

  const body = table.createTBody();
  for (const [index, layer] of layers.entries()) {
    const row = body.insertRow();
    header(row, layer.name, "row");
    const isReplaced = series.some(({ errors }) => errors[index].state === "replaced");
    const values = [formatLayer(layer, isReplaced)];
    for (const { errors } of series) {
      const { local, accumulated, metric: value } = errors[index];
      values.push(
        formatError(local?.[measure]),
        formatError(accumulated?.[measure]),
        formatMetric(value, metric),
      );
    }
    for (const value of values) row.insertCell().textContent = value;
  }
  const foot = table.createTFoot().insertRow();
  header(foot, "Whole network", "row").colSpan = 2;
  for (const one of series) {
    const divergence = foot.insertCell();
    divergence.colSpan = 2;
    divergence.textContent =
      one.divergence === null
        ? "–"
        : `divergence ${formatError(one.divergence)} ${report.divergenceUnit ?? "nats"}`;
    divergence.title = "of the converted network's outputs from the dense network's";
    foot.insertCell().textContent = formatMetric(one.metric, metric);
  }
  return table;
}

function header(row: HTMLTableRowElement, text: string, scope: string): HTMLTableCellElement {
  const cell = document.createElement("th");
  cell.scope = scope;
  cell.textContent = text;
  row.append(cell);
  return cell;
}
