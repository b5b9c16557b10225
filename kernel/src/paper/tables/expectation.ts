/** A place of a table, counted from 0. */
export interface Place {
  row: number;
  column: number;
}

/** What a table is expected to show: `more` lies above `less`, or above a number, by more than `by`. */
export interface Expectation {
  statement: string;
  more: Place;
  less: Place | number;
  /** Below 0 where `more` may lie so far behind. Default 0. */
  by?: number;
  /** Of the margin: points, ×, … */
  unit: string;
  /** The share of itself by which a measured figure without a spread of its own differs from run to run. Default 0: it is exact. */
  runToRun?: number;
}

/** "plus stays within 1 point of dense": one place may lie behind another by so much. */
export const within = (
  statement: string,
  more: Place,
  less: Place,
  reach: number,
  unit: string,
): Expectation => ({ statement, more, less, by: -reach, unit });
