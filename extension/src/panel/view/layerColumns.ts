import type { PanelMetric } from "../../../../kernel/src/report/conversionMessages";
import { errorMarks, errorMeasures } from "../../../../kernel/src/report/format";
import type { ErrorMeasure } from "../../errorFigure";
import type { LayerRow, SortKey } from "../model/layerRows";
import {
  bytesText,
  changeText,
  errorText,
  metricText,
  millisecondsText,
  operationsText,
  shapeText,
} from "./numbers";
import type { Words } from "./words";

/** What all rows are drawn with. */
export interface RowContext {
  metric: PanelMetric;
  measure: ErrorMeasure;
  /** Whether bars are labelled by what is lost instead of the metric itself. */
  showsLoss: boolean;
  /** The largest loss of all rows, the length of a full bar. */
  largestLoss: number;
}

export interface CellContent {
  text: string;
  /** 0 to 1, of a bar's full length; null for no bar. */
  share?: number | null;
  /** Said of the cell in full where its text is short. */
  title?: string;
}

export interface LayerColumn {
  key: SortKey;
  title: string;
  /** The title in full, where it is short. */
  meaning?: string;
  /** CSS width. */
  width: string;
  /** The panel's width in pixels from which on it is shown. */
  from: number;
  kind: "mark" | "name" | "state" | "text" | "number" | "only" | "without";
  /** Its number among all columns, from 1, whichever are shown. */
  index: number;
  content(row: LayerRow, context: RowContext): CellContent;
}

export const stateNames = (words: Words) => ({
  dense: words.__("dense"),
  calibrated: words.__("calibrated"),
  replaced: words.__("replaced"),
  training: words.__("training"),
});

const pair = (before: string, after: string): string => `${before} → ${after}`;

type UnnumberedColumn = Omit<LayerColumn, "index">;

export function layerColumns(words: Words): LayerColumn[] {
  return columns(words).map((column, at) => ({ ...column, index: at + 1 }));
}

function columns(words: Words): UnnumberedColumn[] {
  const states = stateNames(words);
  /** In which other state it was measured, where it was. */
  const measuredIn = (state: number | null | undefined, isStale: boolean): string =>
    isStale && typeof state === "number"
      ? words.__("; measured in state %1, not the present one", state)
      : "";
  const lossContent = (
    value: number | null,
    loss: number | null,
    { isStale, measures }: LayerRow,
    context: RowContext,
  ): CellContent => {
    const { metric, showsLoss, largestLoss } = context;
    const change = changeText(loss, metric);
    return {
      text: value === null ? "–" : showsLoss ? change : metricText(value, metric),
      share: loss === null ? null : Math.max(0, loss) / (largestLoss || 1),
      title:
        value === null
          ? words.__("not measured")
          : words.__("%1 (%2 against the dense network)", metricText(value, metric), change) +
            measuredIn(measures?.state, isStale.metrics),
    };
  };
  const cost = (
    key: "operations" | "bytes",
    title: string,
    meaning: string,
    from: number,
    format: (value: number) => string,
  ): UnnumberedColumn => ({
    key,
    title,
    meaning,
    width: "118px",
    from,
    kind: "number",
    content: ({ layer: { before, after } }) => ({ text: pair(format(before[key]), format(after[key])) }),
  });
  const error = (key: "local" | "accumulated", title: string, from: number): UnnumberedColumn => ({
    key,
    title,
    meaning: words.__("Error of the layer's output: %1", errorMarks[key]),
    width: "66px",
    from,
    kind: "number",
    content: ({ measures, isStale }, { measure }) => ({
      text: errorText(measures?.[key]?.[measure]),
      title: errorMeasures[measure] + measuredIn(measures?.errorsState, isStale.errors),
    }),
  });
  return [
    {
      key: "order",
      title: words.__("Order in the network"),
      width: "22px",
      from: 0,
      kind: "mark",
      content: ({ index }) => ({
        text: String(index + 1),
        title: words.__("Layer %1, press to choose", index + 1),
      }),
    },
    {
      key: "state",
      title: words.__("State"),
      width: "22px",
      from: 0,
      kind: "state",
      content: ({ layer: { state, method } }) => ({
        text: states[state],
        title: method ? `${states[state]}, ${method}` : states[state],
      }),
    },
    {
      key: "name",
      title: words.__("Layer"),
      width: "minmax(54px, 1fr)",
      from: 0,
      kind: "name",
      content: ({ layer }) => ({ text: layer.name, title: layer.name }),
    },
    {
      key: "shape",
      title: words.__("Operator and shape"),
      meaning: words.__("Sorted by the number of inputs it reads"),
      width: "minmax(150px, 0.7fr)",
      from: 776,
      kind: "text",
      content: ({ layer }) => ({
        text: `${layer.op} ${pair(shapeText(layer.inputShape), shapeText(layer.outputShape))}`,
      }),
    },
    {
      key: "numCentroids",
      title: "K",
      meaning: words.__("Number of centroids of a codebook"),
      width: "34px",
      from: 440,
      kind: "number",
      content: ({ layer }) => ({ text: String(layer.numCentroids) }),
    },
    {
      key: "subvectorLength",
      title: "V",
      meaning: words.__("Length of a sub-vector"),
      width: "34px",
      from: 440,
      kind: "number",
      content: ({ layer }) => ({ text: String(layer.subvectorLength) }),
    },
    cost(
      "operations",
      words.__("FLOPs"),
      words.__("Operations for one input, before and after"),
      620,
      operationsText,
    ),
    cost("bytes", words.__("Bytes"), words.__("Bytes of weights, before and after"), 900, bytesText),
    {
      key: "milliseconds",
      title: words.__("Time"),
      meaning: words.__("Measured for one input, dense and looked up"),
      width: "118px",
      from: 1020,
      kind: "number",
      content: ({ layer: { before, after } }) => ({
        text:
          before.milliseconds === null && after.milliseconds === null
            ? "–"
            : pair(millisecondsText(before.milliseconds), millisecondsText(after.milliseconds)),
      }),
    },
    {
      key: "loss",
      title: words.__("Only this"),
      meaning: words.__("The network with only this layer replaced; the bar is what it loses"),
      width: "minmax(clamp(66px, 19cqw, 90px), 0.3fr)",
      from: 0,
      kind: "only",
      content: (row, context) => lossContent(row.measures?.onlyThis ?? null, row.loss, row, context),
    },
    {
      key: "lossWithoutIt",
      title: words.__("All but this"),
      meaning: words.__(
        "The network with every calibrated layer but this one replaced; the bar is what it loses",
      ),
      width: "minmax(clamp(80px, 22cqw, 104px), 0.3fr)",
      from: 0,
      kind: "without",
      content: (row, context) =>
        lossContent(row.measures?.allButThis ?? null, row.lossWithoutIt, row, context),
    },
    error("local", words.__("Local"), 515),
    error("accumulated", words.__("Accum."), 376),
  ];
}
