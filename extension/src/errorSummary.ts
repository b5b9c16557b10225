import type { ErrorAccumulationReport } from "../../kernel/src/report/errorAccumulation";
import { formatMetric } from "../../kernel/src/report/format";

/** What the network is and where it stands, in one line. */
export function errorSummary(report: ErrorAccumulationReport): string {
  const { model, data, metric, series } = report;
  const converted = series
    .filter((one) => one.metric !== null)
    .map((one) => `${one.name} ${formatMetric(one.metric, metric)}`);
  const subject = `${model} on ${data.name} (${data.size.toLocaleString("en")} examples)`;
  const values = [`dense ${formatMetric(metric.dense, metric)}`, ...converted].join(", ");
  return `${progress(report)}${subject}, ${metric.name}: ${values}.`;
}

function progress({ done, series }: ErrorAccumulationReport): string {
  if (done) return "";
  const layers = series.flatMap((one) => one.errors);
  const measured = layers.filter((layer) => layer.accumulated !== null).length;
  return `Measuring (${measured} of ${layers.length}): `;
}
