import type { ErrorAccumulationReport } from "../../kernel/src/report/errorAccumulation";
import { errorMarks, formatError, formatLayer, formatMetric } from "../../kernel/src/report/format";
import type { ErrorFrame } from "./errorFigure";
import type { Reading } from "./readout";

/** The figures of a layer: a line for each series. At first those of the last layer. */
export function errorReading(
  { layers, series, metric }: ErrorAccumulationReport,
  { measure, theme }: ErrorFrame,
): Reading {
  return {
    lines: 1 + series.length,
    first: layers.length > 0 ? [{ trace: 0, point: layers.length - 1 }] : undefined,
    at: ([{ point }]) => ({
      title: layers[point].name,
      note: formatLayer(
        layers[point],
        series.some(({ errors }) => errors[point].state === "replaced"),
      ),
      columns: [errorMarks.local, errorMarks.accumulated, metric.name],
      rows: series.map(({ name, errors }, index) => {
        const { local, accumulated, metric: value } = errors[point];
        return {
          color: theme.series[index % theme.series.length],
          name,
          values: [
            formatError(local?.[measure]),
            formatError(accumulated?.[measure]),
            formatMetric(value, metric),
          ],
        };
      }),
    }),
  };
}
