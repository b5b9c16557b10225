import { randomUUID } from "node:crypto";
import { escapeMarkup } from "./escapeMarkup";
import { currentHost, type Displayable, displaySymbol, type MimeBundle } from "./host";
import { progressAudience } from "./progressListener";

/** Named figures shown beside the bar, already formatted. */
export type ProgressFields = Record<string, string>;

/** Seconds as 0.4 s, 12 s, 3 min 05 s, 2 h 10 min. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** What a bar shows, for who watches from another process. */
export interface ProgressReport {
  label: string;
  /** Of the whole, 0 … 1; null when the total is unknown. */
  share: number | null;
  /** The line as it would be drawn. */
  line: string;
}

let watcher: ((report: ProgressReport) => void) | null = null;

/** Has every bar of this process told to a function, instead of drawn in the terminal. */
export function watchProgress(tell: (report: ProgressReport) => void): void {
  watcher = tell;
}

const barWidth = 24;
const minimumGap = 125; // ms between two drawings
const patience = 400; // ms in which nothing is drawn: what ends sooner needs no bar

/**
 * A bar with rate and time left. In a notebook it is one output that updates in place, in a terminal one line; where
 * there is neither (a log file, a test) nothing is printed. What is done at once shows no bar at all.
 */
export class Progress implements Displayable {
  private readonly displayId = randomUUID();
  private readonly start = performance.now();
  private lastDrawn = Number.NEGATIVE_INFINITY;
  private shown = false;
  private ended = false;
  private done = 0;
  private fields: ProgressFields = {};
  private readonly audience = progressAudience();

  /**
   * @param total steps in all; undefined when nobody knows: then there is a count instead of a bar
   * @param unit for the rate, for example "images"
   */
  constructor(
    readonly label: string,
    readonly total: number | undefined,
    readonly unit = "",
  ) {}

  /** So many more steps are done. */
  advance(steps = 1, fields = this.fields): void {
    this.update(this.done + steps, fields);
  }

  /** `done` of `total`; draws at most 8 times a second. */
  update(done: number, fields: ProgressFields = {}): void {
    this.done = done;
    this.fields = fields;
    this.tell();
    const now = performance.now();
    if (now - this.start >= patience && now - this.lastDrawn >= minimumGap) this.draw();
  }

  /** All is done: the last state, drawn when the bar was shown before or should have been by now. */
  finish(fields: ProgressFields = {}): void {
    if (this.total !== undefined) this.done = this.total;
    this.fields = fields;
    this.end();
  }

  /** The end, wherever the work stands: a loop may be left early. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.tell();
    if (this.shown || performance.now() - this.start >= patience) this.draw();
  }

  /** It draws itself already: as a cell's result it shows nothing more. */
  [displaySymbol](): MimeBundle {
    return {};
  }

  /** The line as it would be drawn. */
  line(): string {
    const share = this.share();
    const full = Math.round((share ?? 0) * barWidth);
    const bar = share === null ? "" : "█".repeat(full) + "░".repeat(barWidth - full);
    return [this.label, bar, this.figures()].filter(Boolean).join(" ");
  }

  private tell(): void {
    const { label, done, total, unit } = this;
    const figures = { label, done, total, unit, secondsLeft: this.secondsLeft(), line: () => this.line() };
    for (const listener of this.audience.listeners) listener(figures);
  }

  /** At the rate so far; null when the total is unknown or nothing is done yet. */
  private secondsLeft(): number | null {
    if (this.total === undefined || this.done <= 0) return null;
    const seconds = (performance.now() - this.start) / 1000;
    return ((this.total - this.done) / this.done) * seconds;
  }

  private html(): string {
    const share = this.share();
    const bar = share === null ? "" : `<progress max="1" value="${share.toFixed(4)}"></progress>`;
    const parts = [escapeMarkup(this.label), bar, escapeMarkup(this.figures())];
    return `<div>${parts.filter(Boolean).join(" ")}</div>`;
  }

  /** Of the whole, 0 … 1; null when the total is unknown. */
  private share(): number | null {
    if (this.total === undefined) return null;
    return this.total > 0 ? Math.min(1, this.done / this.total) : 1;
  }

  /** "45 % · 12.3 images/s · 4.0 s left · loss 0.5" */
  private figures(): string {
    const seconds = (performance.now() - this.start) / 1000;
    const share = this.share();
    const rate = this.done > 0 ? this.done / Math.max(seconds, 1e-9) : 0;
    const secondsLeft = this.secondsLeft();
    const left = secondsLeft === null ? "" : `${formatSeconds(secondsLeft)} left`;
    const parts = [
      share === null ? `${this.done} ${this.unit}`.trim() : `${Math.round(share * 100)} %`,
      `${rate >= 100 ? rate.toFixed(0) : rate.toPrecision(3)} ${this.unit}/s`.replace(" /s", "/s"),
      this.ended ? `took ${formatSeconds(seconds)}` : left,
      ...Object.entries(this.fields).map(([name, value]) => `${name} ${value}`.trim()),
    ];
    return parts.filter(Boolean).join(" · ");
  }

  private draw(): void {
    if (!this.audience.isDrawn) return;
    const text = this.line();
    this.lastDrawn = performance.now();
    const host = currentHost();
    if (watcher) watcher({ label: this.label, share: this.share(), line: text });
    else if (host) {
      const bundle = { "text/html": this.html(), "text/plain": text };
      host.display(bundle, { displayId: this.displayId, update: this.shown });
    } else if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}${this.ended ? "\n" : ""}`);
    this.shown = true;
  }
}
