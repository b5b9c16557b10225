import { Table } from "../charts/table";
import { LutnnError } from "../errors";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import type { VerbRecord } from "./record";
import { type ConversionState, replacedLayers } from "./state";

/** A state of a conversion with where it came from. */
export interface HistoryEntry {
  /** From 0, in the order in which states were made. */
  readonly id: number;
  /** What made it: "replace conv2", or the name that the user gave. */
  readonly label: string;
  /** The state that it was made from; null for the first. */
  readonly parent: number | null;
  readonly state: ConversionState;
  /** How good the network was when it was last evaluated in this state. */
  readonly measured?: Measurement;
  /** The verb and options that made it; missing for the first, and where a version that did not note it has stored it. */
  readonly made?: VerbRecord;
}

/** A metric and the examples that it was measured on. */
export interface Measurement {
  readonly metric: string;
  readonly unit: string;
  readonly value: number;
  readonly data: string;
  readonly examples: number;
}

/** All states of a conversion, none forgotten; one is the present one. */
export class History {
  readonly entries: HistoryEntry[];
  private at: number;
  /** For each state the one that was left by the last undo. */
  private readonly next = new Map<number, number>();

  constructor(entries: HistoryEntry[], at = entries.length - 1) {
    this.entries = entries;
    this.at = at;
    for (const { id, parent } of entries) if (parent !== null) this.next.set(parent, id);
  }

  get current(): HistoryEntry {
    return this.entries[this.at];
  }

  add(label: string, state: ConversionState, made: VerbRecord): void {
    const id = this.entries.length;
    this.entries.push({ id, label, parent: this.at, state, made });
    this.next.set(this.at, id);
    this.at = id;
  }

  /** The state of that number. Throws LutnnError on another; `what` opens the sentence. */
  entry(what: string, id: number): HistoryEntry {
    const entry = this.entries[id];
    if (!entry)
      throw new LutnnError(
        `${what}: the state must be a number from 0 to ${this.entries.length - 1} (got ${id}); see conversion.states`,
      );
    return entry;
  }

  goTo(what: string, id: number): void {
    const { parent } = this.entry(what, id);
    if (parent !== null) this.next.set(parent, id);
    this.at = id;
  }

  /** The number of the state before, or of the one that was left by undo; null where there is none. */
  get before(): number | null {
    return this.current.parent;
  }

  get after(): number | null {
    return this.next.get(this.at) ?? null;
  }

  /** Notes how good the network is in the present state. */
  measure(measured: Measurement): void {
    this.entries[this.at] = { ...this.current, measured };
  }

  rename(what: string, id: number, label: string): void {
    this.entries[this.entry(what, id).id] = { ...this.entry(what, id), label };
  }
}

/** The states of a conversion; shows itself as a table. */
export class StateTable implements Displayable, Iterable<HistoryEntry> {
  constructor(
    readonly rows: readonly HistoryEntry[],
    /** Number of the present state. */
    readonly current: number,
  ) {}

  [Symbol.iterator](): Iterator<HistoryEntry> {
    return this.rows[Symbol.iterator]();
  }

  get length(): number {
    return this.rows.length;
  }

  toTable(): Table {
    return new Table(
      ["state", "made by", "from", "layers replaced", "trained", "present"],
      this.rows.map(({ id, label, parent, state }) => [
        id,
        label,
        parent ?? "–",
        `${replacedLayers(state).length} of ${Object.keys(state.layers).length}`,
        state.tuned ? "yes" : "no",
        id === this.current ? "here" : "",
      ]),
      "states of the conversion; goTo(state), undo(), redo(), compare(a, b)",
    );
  }

  toString(): string {
    return this.toTable().toString();
  }

  [displaySymbol](): MimeBundle {
    return this.toTable()[displaySymbol]();
  }
}
