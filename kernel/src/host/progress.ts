import { randomUUID } from "node:crypto";
import { currentHost } from "./host";

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

const barWidth = 24;
const minimumGap = 125; // ms between two drawings

/**
 * A bar with rate and time left. In a notebook it is one output that updates in place; in a terminal one line; where
 * there is neither (a log file, a test) nothing is printed.
 */
export class Progress {
  private readonly displayId = randomUUID();
  private readonly start = performance.now();
  private lastDrawn = Number.NEGATIVE_INFINITY;
  private shown = false;

  /** @param unit for the rate, for example "images" */
  constructor(
    readonly label: string,
    readonly total: number,
    readonly unit: string,
  ) {}

  /** `done` of `total`; draws at most 8 times a second. */
  update(done: number, fields: ProgressFields = {}): void {
    if (performance.now() - this.lastDrawn >= minimumGap) this.draw(done, fields, false);
  }

  /** The last state, drawn in any case. */
  finish(fields: ProgressFields = {}): void {
    this.draw(this.total, fields, true);
  }

  /** The line as it would be drawn. */
  line(done: number, fields: ProgressFields, ended: boolean): string {
    const seconds = (performance.now() - this.start) / 1000;
    const share = this.total > 0 ? Math.min(1, done / this.total) : 1;
    const full = Math.round(share * barWidth);
    const bar = "█".repeat(full) + "░".repeat(barWidth - full);
    const rate = done > 0 ? done / Math.max(seconds, 1e-9) : 0;
    const time = ended
      ? `took ${formatSeconds(seconds)}`
      : rate > 0
        ? `${formatSeconds((this.total - done) / rate)} left`
        : "";
    const figures = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
    const parts = [`${Math.round(share * 100)} %`, `${rate.toPrecision(3)} ${this.unit}/s`, time, ...figures];
    return `${this.label} ${bar} ${parts.filter(Boolean).join(" · ")}`;
  }

  private draw(done: number, fields: ProgressFields, ended: boolean): void {
    const text = this.line(done, fields, ended);
    this.lastDrawn = performance.now();
    const host = currentHost();
    if (host) {
      host.display({ "text/plain": text }, { displayId: this.displayId, update: this.shown });
      this.shown = true;
    } else if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[2K${text}${ended ? "\n" : ""}`);
    }
  }
}
