import { Progress } from "./progress";

export interface ProgressOptions {
  /** What is being done, before the bar. */
  label?: string;
  /** Steps in all, where an iterable does not tell. */
  total?: number;
  /** For the rate, for example "images". */
  unit?: string;
}

/**
 * A progress bar, in the notebook or in a terminal.
 * `progress(100)` gives one to `advance()`; `for (const x of progress(items))` and `for await (…)` advance it with
 * every item and end it with the loop, however the loop ends.
 */
export function progress(total?: number, options?: ProgressOptions): Progress;
export function progress<T>(items: Iterable<T>, options?: ProgressOptions): Iterable<T>;
export function progress<T>(items: AsyncIterable<T>, options?: ProgressOptions): AsyncIterable<T>;
export function progress<T>(
  subject: number | undefined | Iterable<T> | AsyncIterable<T>,
  options: ProgressOptions = {},
): Progress | Iterable<T> | AsyncIterable<T> {
  if (subject === undefined || typeof subject === "number") return bar({ total: subject, ...options });
  if (Symbol.asyncIterator in subject) return eachAsync(subject, options);
  return each(subject, { total: lengthOf(subject), ...options });
}

const bar = ({ label = "", total, unit }: ProgressOptions) => new Progress(label, total, unit);

function* each<T>(items: Iterable<T>, options: ProgressOptions): Iterable<T> {
  const progress = bar(options);
  try {
    for (const item of items) {
      yield item;
      progress.advance();
    }
  } finally {
    progress.end();
  }
}

async function* eachAsync<T>(items: AsyncIterable<T>, options: ProgressOptions): AsyncIterable<T> {
  const progress = bar(options);
  try {
    for await (const item of items) {
      yield item;
      progress.advance();
    }
  } finally {
    progress.end();
  }
}

function lengthOf(items: object): number | undefined {
  if ("length" in items && typeof items.length === "number") return items.length;
  return "size" in items && typeof items.size === "number" ? items.size : undefined;
}
