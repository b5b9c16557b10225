import type { Operation } from "./operation";
import { fromFront } from "./value";

/** Places of one axis of the file: `length` of them from `start`, each `step` behind the one before. */
export interface AxisRange {
  axis: number;
  start: number;
  length: number;
  step: number;
}

/** No batch is so long: exporters write such an end, or a larger one, for all that there are. */
const toTheEnd = 1e9;

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

/** What a Slice takes along one axis of `places`. */
function rangeOf(axis: number, places: number, start: number, end: number, step: number): AxisRange {
  const from = start < 0 ? start + places : start;
  const to = end < 0 ? end + places : end;
  const [first, last] =
    step > 0
      ? [clamp(from, 0, places), clamp(to, 0, places)]
      : [clamp(from, 0, places - 1), clamp(to, -1, places - 1)];
  return { axis, start: first, length: Math.max(0, Math.ceil((last - first) / step)), step };
}

/**
 * What a Slice takes of each axis that it names and does not leave whole. Null stands for the batch, which must stay whole.
 */
export function sliceRanges(operation: Operation, dims: readonly (number | null)[]): AxisRange[] {
  const starts = operation.intsOf("starts", 1) ?? [];
  const ends = operation.intsOf("ends", 2) ?? [];
  const axes = operation.intsOf("axes", 3) ?? starts.map((_, i) => i);
  const steps = operation.intsOf("steps", 4) ?? starts.map(() => 1);
  if (steps.includes(0))
    operation.refuse("steps must not be 0", steps.join(", "), "the file is damaged: export it anew");
  return starts.flatMap((start, i) => {
    const axis = fromFront(axes[i], dims.length);
    const places = dims[axis];
    if (places === null || places === undefined) {
      const isWhole = start === 0 && steps[i] === 1 && ends[i] >= toTheEnd;
      if (isWhole && places === null) return [];
      return operation.refuse(
        "the batch must stay whole",
        `${start} to ${ends[i]} of axis ${axis}`,
        "export the network with the batch first and untouched",
      );
    }
    const range = rangeOf(axis, places, start, ends[i], steps[i]);
    if (range.start === 0 && range.length === places && range.step === 1) return [];
    return [range];
  });
}
