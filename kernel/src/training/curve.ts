/** Means over some batches in a row. */
export interface CurvePoint {
  /** Epochs that were over in the middle of these batches: 1.25 is a quarter into the second. */
  at: number;
  loss: number;
  /** Of the task metric, where it was counted; in its unit. */
  metric: number;
  /** Images that it is of. */
  size: number;
}

/** Points of a curve are joined in pairs when they become as many. */
const mostPoints = 400;

/**
 * Loss and metric along a run, however long it is: at most 400 points, each the mean of as many images as fit.
 * `at` of a point is the mean of its batches' places.
 */
export class Curve {
  private readonly done: CurvePoint[] = [];
  private batchesPerPoint = 1;
  private batches = 0;

  /** A batch of `size` images at `at` epochs, with the means of its loss and metric. */
  add(point: CurvePoint): void {
    const last = this.done.at(-1);
    const isOpen = last !== undefined && this.batches % this.batchesPerPoint !== 0;
    if (isOpen) this.done[this.done.length - 1] = joined(last, point);
    else this.done.push({ ...point });
    this.batches++;
    if (this.done.length >= mostPoints && this.batches % this.batchesPerPoint === 0) this.halve();
  }

  get points(): readonly CurvePoint[] {
    return this.done;
  }

  private halve(): void {
    const pairs = Array.from({ length: Math.floor(this.done.length / 2) }, (_, i) =>
      joined(this.done[2 * i], this.done[2 * i + 1]),
    );
    this.done.splice(0, 2 * pairs.length, ...pairs);
    this.batchesPerPoint *= 2;
  }
}

function joined(a: CurvePoint, b: CurvePoint): CurvePoint {
  const size = a.size + b.size;
  const mean = (pick: (point: CurvePoint) => number) => (a.size * pick(a) + b.size * pick(b)) / size;
  return {
    at: mean(({ at }) => at),
    loss: mean(({ loss }) => loss),
    metric: mean(({ metric }) => metric),
    size,
  };
}
