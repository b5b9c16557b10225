import { randomUUID } from "node:crypto";
import { escapeHtml } from "./bundles/escapeHtml";
import { currentHost, type Displayable, displaySymbol, type MimeBundle } from "./host";

/** Between two drawings. */
const pauseMs = 100;
const barWidth = 24;

export interface ProgressOptions {
  /** What is being done, before the bar. */
  label?: string;
  /** Steps in all; unknown for iterables without a length: then there is a count instead of a bar. */
  total?: number;
}

/** A bar with rate and remaining time that redraws itself in place. */
export class Progress implements Displayable {
  private readonly displayId = randomUUID();
  private readonly start = performance.now();
  private done = 0;
  private note = "";
  private ended = false;
  private drawn = Number.NEGATIVE_INFINITY;
  private shown = false;

  constructor(private readonly options: ProgressOptions = {}) {
    this.draw();
  }

  /** So many more steps are done; `note` (a loss, a file's name) stands behind the bar. */
  advance(steps = 1, note = this.note): void {
    this.update(this.done + steps, note);
  }

  /** So many steps are done in all. */
  update(done: number, note = this.note): void {
    this.done = done;
    this.note = note;
    if (performance.now() - this.drawn >= pauseMs) this.draw();
  }

  /** Draws the last state for good. */
  end(note = this.note): void {
    if (this.ended) return;
    this.note = note;
    this.ended = true;
    this.draw();
  }

  /** It has been drawn already: as a cell's result it shows nothing more. */
  [displaySymbol](): MimeBundle {
    return {};
  }

  private draw(): void {
    this.drawn = performance.now();
    const host = currentHost();
    const text = this.text();
    if (host) {
      const bundle = { "text/html": this.html(), "text/plain": text };
      host.display(bundle, { displayId: this.displayId, update: this.shown });
    } else if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}${this.ended ? "\n" : ""}`);
    else if (this.ended) process.stderr.write(`${text}\n`);
    this.shown = true;
  }

  private get fraction(): number | null {
    const { total } = this.options;
    return total === undefined || total <= 0 ? null : Math.min(1, this.done / total);
  }

  private text(): string {
    const { fraction } = this;
    const { label = "" } = this.options;
    const filled = Math.round((fraction ?? 0) * barWidth);
    const bar = fraction === null ? "" : `${"█".repeat(filled)}${"░".repeat(barWidth - filled)}`;
    return [label, bar, this.numbers(), this.note].filter((part) => part !== "").join(" ");
  }

  private html(): string {
    const { fraction } = this;
    const { label = "" } = this.options;
    const bar = fraction === null ? "" : ` <progress max="1" value="${fraction.toFixed(4)}"></progress>`;
    return `<div>${escapeHtml(label)}${bar} ${escapeHtml([this.numbers(), this.note].join(" ").trim())}</div>`;
  }

  /** "45/100, 12.3/s, 0:04 left" */
  private numbers(): string {
    const { total } = this.options;
    const seconds = (performance.now() - this.start) / 1000;
    const rate = seconds > 0 ? this.done / seconds : 0;
    const count = total === undefined ? String(this.done) : `${this.done}/${total}`;
    const remaining = total === undefined || rate === 0 ? null : (total - this.done) / rate;
    const time = this.ended || remaining === null ? clock(seconds) : `${clock(remaining)} left`;
    return `${count}, ${rate >= 100 ? rate.toFixed(0) : rate.toPrecision(3)}/s, ${time}`;
  }
}

/** For example 1:02:03. */
function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] > 0 ? parts : parts.slice(1);
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
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
  if (subject === undefined || typeof subject === "number")
    return new Progress({ total: subject, ...options });
  if (Symbol.asyncIterator in subject) return eachAsync(subject, options);
  return each(subject, { total: lengthOf(subject), ...options });
}

function* each<T>(items: Iterable<T>, options: ProgressOptions): Iterable<T> {
  const bar = new Progress(options);
  try {
    for (const item of items) {
      yield item;
      bar.advance();
    }
  } finally {
    bar.end();
  }
}

async function* eachAsync<T>(items: AsyncIterable<T>, options: ProgressOptions): AsyncIterable<T> {
  const bar = new Progress(options);
  try {
    for await (const item of items) {
      yield item;
      bar.advance();
    }
  } finally {
    bar.end();
  }
}

function lengthOf(items: object): number | undefined {
  if ("length" in items && typeof items.length === "number") return items.length;
  return "size" in items && typeof items.size === "number" ? items.size : undefined;
}
