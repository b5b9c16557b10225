import { Table } from "../charts/table";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import type { Metric } from "../tasks/task";
import type { LayerEffect } from "./measureLayers";

/** What each layer does to the metric, alone and among the others; shows itself as a table. */
export class LayerMeasurement implements Displayable {
  constructor(
    readonly model: string,
    /** Number of the state that it was measured in. */
    readonly state: number,
    /** By layer, in network order. */
    readonly layers: ReadonlyMap<string, LayerEffect>,
    readonly metric: Metric,
    readonly data: string,
    /** Examples that each figure is of. */
    readonly examples: number,
  ) {}

  toTable(): Table {
    const { name, unit } = this.metric;
    const of = unit ? `${name} (${unit})` : name;
    return new Table(
      ["layer", `only this replaced: ${of}`, `all but this replaced: ${of}`],
      [...this.layers].map(([layer, { onlyThis, allButThis }]) => [layer, onlyThis, allButThis]),
      `${this.model}, state ${this.state}, on ${this.examples.toLocaleString("en")} examples of ${this.data}`,
    );
  }

  toString(): string {
    return this.toTable().toString();
  }

  [displaySymbol](): MimeBundle {
    return this.toTable()[displaySymbol]();
  }
}
