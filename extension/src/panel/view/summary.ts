import type { PanelCost } from "../../../../kernel/src/report/conversionMessages";
import { lossOf } from "../model/layerRows";
import type { Change, PanelModel } from "../model/panelModel";
import { element, setAttribute, setText } from "./dom";
import { bytesText, changeText, metricText, millisecondsText, operationsText, timesText } from "./numbers";
import { concerns, type Part } from "./part";
import type { Words } from "./words";

/** One figure of the whole network: now, and what it was. */
class Tile {
  readonly #term = element("dt");
  readonly #now = element("dd", { class: "lutnn-tile-now" });
  readonly #before = element("dd", { class: "lutnn-tile-before" });
  readonly node = element("div", { class: "lutnn-tile" }, this.#term, this.#now, this.#before);

  show(name: string, now: string, before: string, title?: string): void {
    setText(this.#term, name);
    setText(this.#now, now);
    setText(this.#before, before);
    setAttribute(this.node, "title", title ?? null);
  }
}

/** The whole network's metric, operations, bytes and time: as it is now, beside the dense one. */
export class Summary implements Part {
  readonly #tiles = [new Tile(), new Tile(), new Tile(), new Tile()];
  readonly node = element("dl", { class: "lutnn-summary" }, ...this.#tiles.map(({ node }) => node));

  constructor(private readonly words: Words) {}

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    if (!concerns(changes, "overview", "layers", "link", "conversions")) return;
    const { overview } = model;
    this.node.hidden = !overview;
    if (!overview) return;
    const { cost } = overview;
    const { metric } = model;
    const { __ } = this.words;
    const [quality, operations, bytes, time] = this.#tiles;
    const change = metric.now === null ? "" : changeText(lossOf(metric.now, metric), metric);
    const isMeasured = metric.dense !== null || metric.now !== null;
    const denseMetric = [__("dense %1", metricText(metric.dense, metric)), change].filter(Boolean).join(", ");
    quality.show(
      metric.name.charAt(0).toUpperCase() + metric.name.slice(1) || __("Metric"),
      metricText(metric.now, metric),
      isMeasured ? denseMetric : __("not measured yet"),
      overview.validation
        ? __("on %1 (%2 examples)", overview.validation.name, overview.validation.size)
        : undefined,
    );
    const costTile = (
      tile: Tile,
      name: string,
      of: (cost: PanelCost) => number,
      text: (value: number) => string,
    ) => {
      const [dense, now, all] = [cost.dense, cost.now, cost.all].map(of);
      tile.show(
        name,
        text(now),
        `${__("dense %1", text(dense))}, ${timesText(dense, now)}`,
        __("with all layers replaced %1", text(all)),
      );
    };
    costTile(operations, __("FLOPs"), (one) => one.operations, operationsText);
    costTile(bytes, __("Size"), (one) => one.bytes, bytesText);
    const [dense, now] = [cost.dense.milliseconds, cost.now.milliseconds];
    const isTimed = dense !== null || now !== null;
    const faster = dense !== null && now !== null ? timesText(dense, now) : "";
    const denseTime = [__("dense %1", millisecondsText(dense)), faster].filter(Boolean).join(", ");
    time.show(
      __("Latency"),
      millisecondsText(now),
      isTimed ? denseTime : __("not measured yet"),
      cost.all.milliseconds === null
        ? __("Measure times: milliseconds for one input, dense and as the network is now")
        : __("with all layers replaced %1", millisecondsText(cost.all.milliseconds)),
    );
  }
}
