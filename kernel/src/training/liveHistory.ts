import { randomUUID } from "node:crypto";
import { PLOTLY_MIME } from "../charts/figure";
import { currentHost, displaySymbol, type MimeBundle } from "../host/host";
import { progressAudience } from "../host/progressListener";
import type { TrainingHistory } from "./history";

/** What a cell that trains shows: further runs of the cell take its place, so that they do not pile up. */
const shownBy = new WeakMap<AbortSignal, { displayId: string; owner: LiveHistory }>();

const patience = 1000; // ms in which nothing is drawn: what ends sooner shows itself as a result
const gap = 500; // ms between two drawings

/** The chart of a run while it trains: one output of the cell, drawn anew at most twice a second. */
export class LiveHistory {
  private readonly cell = currentHost()?.signal;
  private last = performance.now() + patience - gap;
  private shown = false;

  /** Draws what `history` makes, where it is time to. */
  update(history: () => TrainingHistory): void {
    const now = performance.now();
    if (now - this.last < gap) return;
    this.last = now;
    // Without the SVG, which takes ten times as long to draw and is for pages that stand still.
    const drawn = history();
    this.show({ [PLOTLY_MIME]: drawn.figure().toPlotly(), "text/plain": drawn.toTable().toString() });
  }

  /** The whole chart in the end, where there was one before. @returns whether the running cell shows it by now */
  finish(history: TrainingHistory): () => boolean {
    if (this.shown) this.show(history[displaySymbol]());
    const { cell } = this;
    return () =>
      cell !== undefined && currentHost()?.signal === cell && shownBy.get(cell)?.owner === this && this.shown;
  }

  private show(bundle: MimeBundle): void {
    const host = currentHost();
    if (!host || !this.cell || !progressAudience().isDrawn) return;
    const known = shownBy.get(this.cell)?.displayId;
    const displayId = known ?? randomUUID();
    shownBy.set(this.cell, { displayId, owner: this });
    host.display(bundle, { displayId, update: known !== undefined });
    this.shown = true;
  }
}
