import { type ISignal, Signal } from "@lumino/signaling";
import type {
  ConversionName,
  ConversionSections,
  KernelMessage,
  LayerDetail,
  PanelCommand,
  PanelMessage,
  PanelMetric,
  PanelQuestion,
  StateComparison,
} from "../../../../kernel/src/report/conversionMessages";
import type { ErrorMeasure } from "../../errorFigure";
import { ConversionModel, type Section } from "./conversionModel";
import { type LayerRow, layerRows, type RowFilter, type RowOrder, shownRows, sortedRows } from "./layerRows";
import { Requests } from "./requests";
import { Selection } from "./selection";

/**
 * How the panel stands to its kernel: none is there; asked and not answered yet; answering; without conversions as long as
 * no cell has loaded the library; of another language; restarting; dead; unreachable.
 */
export type LinkState =
  | "none"
  | "asking"
  | "live"
  | "quiet"
  | "foreign"
  | "restarting"
  | "dead"
  | "unreachable";

/** What a view must draw anew. */
export type Change =
  | Section
  | "link"
  | "conversions"
  | "rows"
  | "selection"
  | "detail"
  | "comparison"
  | "notice";

/** The last thing that is worth saying aloud. */
export interface Notice {
  kind: "result" | "warning" | "fault";
  text: string;
}

/** What the network is for is not known yet. */
const noMetric: PanelMetric = { name: "", unit: "", higherIsBetter: true, dense: null, now: null };

/** All that the panel knows of one kernel and what the user has chosen in it. Views read it and draw on `changed`. */
export class PanelModel {
  link: LinkState = "none";
  conversions: readonly ConversionName[] = [];
  conversion: ConversionModel | null = null;
  readonly selection = new Selection();
  detail: LayerDetail | null = null;
  comparison: StateComparison | null = null;
  notice: Notice | null = null;

  #order: RowOrder = { key: "order", descending: false };
  #filter: RowFilter = { name: "", leastLoss: null };
  #measure: ErrorMeasure = "relative";
  #rows: LayerRow[] | null = null;
  #wantsDetail = false;
  /** The variable that the shown conversion was last held by, unless the user has chosen it by hand. */
  #variable: string | null = null;
  /** The conversion that the notebook asked last to be shown. */
  #askedToShow: string | null = null;
  /** Of the detail that was asked for last: layer and state. */
  #asked = "";
  readonly #requests = new Requests();
  readonly #changed = new Signal<this, ReadonlySet<Change>>(this);
  #send: ((message: PanelMessage) => void) | null = null;

  get changed(): ISignal<this, ReadonlySet<Change>> {
    return this.#changed;
  }

  // Connection -----------------------------------------------------------------------------------------------------

  /** A comm is open; `send` writes to it. The kernel will say which conversions it has. */
  connect(send: (message: PanelMessage) => void): void {
    this.#send = send;
    this.#watch(this.conversion?.id ?? null);
    this.#setLink("asking");
  }

  /** The comm is gone, and why. What was known is kept only where the kernel may still be there. */
  disconnect(link: Exclude<LinkState, "live" | "asking">): void {
    this.#send = null;
    this.#requests.abandon(link === "restarting" ? "the kernel restarts" : "the kernel does not answer");
    if (link !== "unreachable") this.#forget();
    this.#setLink(link);
  }

  /** A message of the kernel that has been read already, see `readKernelMessage`. */
  receive(message: KernelMessage): void {
    if (message.type === "conversions") this.#setConversions(message);
    else if (message.type === "refused") this.say({ kind: "fault", text: message.error });
    else if (message.type !== "snapshot") this.#requests.answer(message);
    // One of the conversion that was watched before is dropped.
    else if (message.conversion === this.conversion?.id)
      this.#emit(this.#took(this.conversion.apply(message)));
  }

  /** Watches another conversion of the kernel. */
  choose(id: string): void {
    if (this.conversion?.id === id) return;
    this.#show(id);
    this.#emit(["conversions", "layers", "selection", "detail", "comparison"]);
  }

  // What the kernel is asked ----------------------------------------------------------------------------------------

  /** Sends a command; its end or its failure becomes the notice. Resolves when it has ended, well or not. */
  async command(command: PanelCommand): Promise<void> {
    const conversion = this.conversion?.id;
    const send = this.#send;
    if (conversion === undefined || !send) return;
    try {
      const { text, warnings } = await this.#requests.send("done", (request) =>
        send({ type: "command", request, conversion, command }),
      );
      this.say({ kind: "result", text });
      for (const warning of warnings) this.say({ kind: "warning", text: warning });
    } catch (error) {
      this.#sayFault(error);
    }
  }

  /** Takes back a command that waits, or stops the one that runs. */
  cancel(command: number): void {
    if (this.conversion) this.#send?.({ type: "cancel", conversion: this.conversion.id, command });
  }

  /** TypeScript that leads from a fresh conversion to a state; null where the kernel could not say. */
  async cell(state: number): Promise<string | null> {
    const answer = await this.#ask("cell", { about: "cell", state });
    return answer?.code ?? null;
  }

  async compare(a: number, b: number): Promise<void> {
    const answer = await this.#ask("comparison", { about: "comparison", a, b });
    if (!answer) return;
    this.comparison = answer.comparison;
    this.#emit(["comparison"]);
  }

  /** Whether a view shows the inside of the active layer: only then is it asked for. */
  set wantsDetail(wanted: boolean) {
    this.#wantsDetail = wanted;
    void this.#refreshDetail();
  }

  // What the user chooses -------------------------------------------------------------------------------------------

  get order(): RowOrder {
    return this.#order;
  }

  set order(order: RowOrder) {
    this.#order = order;
    this.#emit(["rows"]);
  }

  get filter(): RowFilter {
    return this.#filter;
  }

  set filter(filter: RowFilter) {
    this.#filter = filter;
    this.#emit(["rows"]);
  }

  /** Which figure of the errors is shown. */
  get measure(): ErrorMeasure {
    return this.#measure;
  }

  set measure(measure: ErrorMeasure) {
    if (measure === this.#measure) return;
    this.#measure = measure;
    this.#emit(["rows"]);
  }

  /** Changes the selection; views follow, and the inside of the layer is asked for where it is shown. */
  select(change: (selection: Selection) => void): void {
    change(this.selection);
    this.#emit(["selection"]);
    void this.#refreshDetail();
  }

  /** The chosen layers, in network order. */
  get targets(): string[] {
    return this.selection.targets(this.layers.map(({ name }) => name));
  }

  // What views read -------------------------------------------------------------------------------------------------

  get layers(): ConversionSections["layers"] {
    return this.conversion?.get("layers") ?? [];
  }

  get activeLayer(): ConversionSections["layers"][number] | undefined {
    return this.layers.find(({ name }) => name === this.selection.active);
  }

  /** The notebook's variable that holds the conversion, or what to call it where none does. */
  get variable(): string {
    const id = this.conversion?.id;
    return this.conversions.find((one) => one.id === id)?.variable ?? "conversion";
  }

  get overview(): ConversionSections["overview"] | undefined {
    return this.conversion?.get("overview");
  }

  /** The task's metric; one without a name and figures while the task is open. */
  get metric(): PanelMetric {
    return this.overview?.metric ?? noMetric;
  }

  get history(): ConversionSections["history"] | undefined {
    return this.conversion?.get("history");
  }

  get commands(): ConversionSections["commands"] {
    return this.conversion?.get("commands") ?? [];
  }

  get running(): ConversionSections["commands"][number] | undefined {
    return this.commands.find(({ state }) => state === "running");
  }

  /** The rows as they are shown: filtered and sorted. */
  get rows(): readonly LayerRow[] {
    if (!this.#rows) {
      const measures = this.conversion?.get("measures") ?? [];
      const all = layerRows(this.layers, measures, this.metric, this.history?.current ?? -1);
      this.#rows = sortedRows(shownRows(all, this.#filter), this.#order, this.#measure);
    }
    return this.#rows;
  }

  /** Puts a sentence before the user, as commands do with their results. */
  say(notice: Notice): void {
    this.notice = notice;
    this.#emit(["notice"]);
  }

  // Inside ----------------------------------------------------------------------------------------------------------

  #setConversions({ conversions, asked }: Extract<KernelMessage, { type: "conversions" }>): void {
    const shown = this.conversion?.id ?? null;
    const wanted = this.#wanted(conversions, asked);
    this.conversions = conversions;
    this.link = "live";
    if (wanted !== shown) this.#show(wanted);
    this.#variable = conversions.find(({ id }) => id === wanted)?.variable ?? this.#variable;
    const isOther = wanted !== shown;
    this.#emit([
      "link",
      "conversions",
      ...(isOther ? (["layers", "selection", "detail", "comparison"] as const) : []),
    ]);
  }

  /**
   * Which conversion is to be shown: the one that the notebook has just asked for; the one that the variable of the shown
   * one holds now, as after a cell that was run again; else the same as before, as long as it is there, or the newest.
   */
  #wanted(conversions: readonly ConversionName[], asked: string | null): string | null {
    const shown = this.conversion?.id;
    const isThere = (wanted: string | null | undefined) => conversions.some(({ id }) => id === wanted);
    const isNew = asked !== this.#askedToShow;
    this.#askedToShow = asked;
    if (isNew && isThere(asked)) return asked;
    const heir = conversions.find(({ id, variable }) => id !== shown && variable === this.#variable);
    if (heir && this.#variable !== null) return heir.id;
    return (isThere(shown) ? shown : conversions.at(-1)?.id) ?? null;
  }

  #show(id: string | null): void {
    this.#forgetConversion();
    this.#variable = this.conversions.find((one) => one.id === id)?.variable ?? null;
    if (id === null) return;
    this.conversion = new ConversionModel(id);
    this.#watch(id);
  }

  /** Follows sections that have changed; returns what changes with them. */
  #took(sections: Section[]): Change[] {
    const changes: Change[] = [...sections];
    if (sections.includes("layers")) {
      this.selection.keepOnly(this.layers.map(({ name }) => name));
      changes.push("selection");
    }
    if (sections.includes("layers") || sections.includes("history")) void this.#refreshDetail();
    return changes;
  }

  #watch(conversion: string | null): void {
    this.#send?.({ type: "watch", conversion });
  }

  #setLink(link: LinkState): void {
    this.link = link;
    this.#emit(["link"]);
  }

  #forget(): void {
    this.conversions = [];
    this.#forgetConversion();
    this.#emit(["conversions", "layers", "selection", "detail", "comparison"]);
  }

  #forgetConversion(): void {
    this.conversion = null;
    this.detail = null;
    this.comparison = null;
    this.#asked = "";
    this.selection.keepOnly([]);
  }

  async #ask<Type extends "layer" | "comparison" | "cell">(type: Type, question: PanelQuestion) {
    const conversion = this.conversion?.id;
    const send = this.#send;
    if (conversion === undefined || !send) return null;
    try {
      return await this.#requests.send(type, (request) =>
        send({ type: "question", request, conversion, question }),
      );
    } catch (error) {
      this.#sayFault(error);
      return null;
    }
  }

  /** Asks for the inside of the active layer in the present state, where it is shown and not there. */
  async #refreshDetail(): Promise<void> {
    const layer = this.activeLayer;
    const wanted = `${layer?.name} ${layer?.state} ${layer?.numCentroids} ${layer?.subvectorLength} ${this.history?.current}`;
    if (!this.#wantsDetail || wanted === this.#asked) return;
    this.#asked = wanted;
    if (this.detail && this.detail.layer !== layer?.name) {
      this.detail = null;
      this.#emit(["detail"]);
    }
    if (!layer || layer.state === "dense") return;
    const answer = await this.#ask("layer", { about: "layer", layer: layer.name });
    if (!answer || wanted !== this.#asked) return; // another one has been asked for since
    this.detail = answer.detail;
    this.#emit(["detail"]);
  }

  #sayFault(error: unknown): void {
    this.say({ kind: "fault", text: error instanceof Error ? error.message : String(error) });
  }

  #emit(changes: Iterable<Change>): void {
    const all = new Set(changes);
    if (all.size === 0) return;
    for (const change of ["layers", "measures", "overview", "history", "rows", "conversions"] as const)
      if (all.has(change)) this.#rows = null;
    if (!this.#rows) all.add("rows");
    this.#changed.emit(all);
  }
}
