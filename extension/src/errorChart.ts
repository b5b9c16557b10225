import { PanelLayout, Widget } from "@lumino/widgets";
import type { ErrorAccumulationReport } from "../../kernel/src/report/errorAccumulation";
import { type ErrorMeasure, errorFigure, isOverview } from "./errorFigure";
import { errorSummary } from "./errorSummary";
import { errorTable } from "./errorTable";
import { LayerFinder } from "./layerFinder";
import { MeasureSwitch } from "./measureSwitch";
import { Plot } from "./plot";

/** Number of the trace after the dense network's, see errorTraces.ts. */
const firstSeries = 1;

/** What the reader of a chart does that others may want to know. */
export interface ErrorChartEvents {
  /** A point of this layer was clicked. */
  onLayer?(name: string): void;
  onMeasure?(measure: ErrorMeasure): void;
}

/** A report as one line, a chart and a table. Newer snapshots of the same run redraw it in place. */
export class ErrorChart extends Widget {
  #report: ErrorAccumulationReport | undefined;
  readonly #summary = new Widget({ node: document.createElement("p") });
  readonly #measure: MeasureSwitch;
  readonly #plot: Plot;
  readonly #finder: LayerFinder;
  readonly #details = document.createElement("details");
  readonly #table = new Widget({ node: this.#details });
  /** Spoken by screen readers once, when a measurement ends; the summary changes too often for that. */
  readonly #announcement = new Widget();

  constructor({ onLayer, onMeasure }: ErrorChartEvents = {}) {
    super();
    this.addClass("lutnn-output");
    this.#measure = new MeasureSwitch((measure) => {
      onMeasure?.(measure);
      void this.#redraw();
    });
    const pointed = onLayer && ((layer: number) => this.#report && onLayer(this.#report.layers[layer].name));
    this.#plot = new Plot(
      (reason) => this.#fail(reason),
      pointed && (([first]) => first && pointed(first.point)),
    );
    this.#plot.node.role = "figure"; // plotly's buttons are in it
    const found = (layer: number) => void this.#plot.pointAt([{ trace: firstSeries, point: layer }]);
    this.#finder = new LayerFinder(found, (layer) => pointed?.(layer));
    this.#table.addClass("lutnn-table");
    const summary = document.createElement("summary");
    summary.textContent = "Table";
    summary.dataset.lmSuppressShortcuts = "true"; // Enter opens the table, instead of editing the cell
    this.#details.append(summary);
    this.#details.addEventListener("toggle", () => this.#fillTable());
    this.#announcement.addClass("lutnn-announcement");
    this.#announcement.node.role = "status";
    const layout = new PanelLayout();
    this.layout = layout;
    for (const part of [
      this.#summary,
      this.#measure,
      this.#plot,
      this.#finder,
      this.#table,
      this.#announcement,
    ])
      layout.addWidget(part);
  }

  set measure(measure: ErrorMeasure) {
    if (measure === this.#measure.value) return;
    this.#measure.value = measure;
    void this.#redraw();
  }

  /** Shows a report, or one sentence that says why it cannot. Resolves when drawn; ignores outdated snapshots. */
  async showReport(data: unknown): Promise<void> {
    // Loaded with the first report: JupyterLab's start does not wait for it.
    const { parseErrorAccumulation } = await import("../../kernel/src/report/readErrorAccumulation");
    const report = parseErrorAccumulation(data);
    if (typeof report === "string") return this.#fail(report);
    const last = this.#report;
    const sameRun = last?.runId === report.runId;
    if (sameRun && report.sequence < last.sequence) return;
    this.#report = report;
    await this.#redraw();
    if (sameRun && report.done && !last.done)
      this.#announcement.node.textContent = this.#summary.node.textContent;
  }

  async #redraw(): Promise<void> {
    const report = this.#report;
    if (!report) return;
    try {
      const summary = errorSummary(report);
      this.#summary.node.textContent = summary;
      this.#plot.node.ariaLabel = `Chart. ${summary}`;
      this.#fillTable();
      this.#setBroken(false);
      const measure = this.#measure.value;
      this.#finder.setHidden(!isOverview(report));
      if (isOverview(report)) this.#finder.names = report.layers.map(({ name }) => name);
      await this.#plot.draw((width, theme, zoom) =>
        errorFigure(report, {
          measure,
          width,
          theme,
          ...(zoom && isOverview(report) ? { shown: zoom } : {}),
        }),
      );
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #fillTable(): void {
    if (!this.#report || !this.#details.open) return;
    this.#details.querySelector("table")?.remove();
    this.#details.append(errorTable(this.#report, this.#measure.value));
  }

  #fail(reason: string): void {
    this.#summary.node.textContent = `This error accumulation cannot be shown: ${reason}.`;
    this.#setBroken(true);
  }

  #setBroken(broken: boolean): void {
    for (const part of [this.#measure, this.#plot, this.#finder, this.#table]) part.setHidden(broken);
  }
}
