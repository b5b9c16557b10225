import { Widget } from "@lumino/widgets";
import { greyColor, palette } from "../../../../kernel/src/report/figureStyle";
import { onThemeChange } from "../../theme";
import type { Choices } from "../model/actions";
import type { Change, PanelModel } from "../model/panelModel";
import { defaultSettings, type PanelSettings } from "../settings";
import { ActionBar } from "./actionBar";
import { CommandQueue } from "./commandQueue";
import { element } from "./dom";
import { EmptyState } from "./emptyState";
import { FilterBar } from "./filterBar";
import { Frames } from "./frames";
import { Header } from "./header";
import { LayerGrid } from "./layerGrid";
import { LiveRegion } from "./liveRegion";
import { lazyPages } from "./pages";
import type { Part } from "./part";
import { Summary } from "./summary";
import { Tabs } from "./tabs";
import type { Words } from "./words";

/** What the panel asks of the notebook and of JupyterLab around it. */
export interface PanelHost {
  /** Inserts a cell that leads to a state, below the active one. */
  insertCell(model: PanelModel, state: number): void;
  /** Asks for a name and writes the network as a file. */
  saveFile(model: PanelModel): void;
  /** Brings the cell of a layer into sight. */
  showLayerCell(model: PanelModel, layer: string): void;
  openTutorials(): void;
}

const everything: Change[] = [
  "overview",
  "layers",
  "measures",
  "history",
  "commands",
  "training",
  "errors",
  "plan",
  "link",
  "conversions",
  "rows",
  "selection",
  "detail",
  "comparison",
  "notice",
];

/** The panel: a view of one model at a time. It draws once a frame, whatever has changed since the last. */
export class PanelView extends Widget {
  #model: PanelModel | null = null;
  #settings = defaultSettings;
  readonly #frames = new Frames<Change>((changes) => this.#draw(changes));
  readonly #queue: CommandQueue;
  readonly #grid: LayerGrid;
  readonly #actions: ActionBar;
  readonly #empty: EmptyState;
  readonly #tabs: Tabs;
  readonly #pages: ReturnType<typeof lazyPages>;
  readonly #parts: Part[];
  readonly #work: HTMLElement;
  readonly #theme: MutationObserver;

  constructor(words: Words, host: PanelHost) {
    super();
    this.addClass("lutnn-panel");
    const withModel = (act: (model: PanelModel) => void) => () => this.#model && act(this.#model);
    this.#queue = new CommandQueue(words);
    this.#grid = new LayerGrid(words, () => this.openLayer());
    this.#actions = new ActionBar(
      words,
      withModel((model) => model.history && host.insertCell(model, model.history.current)),
      withModel((model) => host.saveFile(model)),
    );
    this.#empty = new EmptyState(words, () => host.openTutorials());
    this.#pages = lazyPages(words, {
      onLayer: (name) => {
        const model = this.#model;
        if (!model) return;
        model.select((selection) => selection.only(name));
        host.showLayerCell(model, name);
      },
      onInsert: (state) => this.#model && host.insertCell(this.#model, state),
    });
    this.#tabs = new Tabs(words.__("More about the network"), this.#pages.all);
    const header = new Header(words);
    const summary = new Summary(words);
    const filter = new FilterBar(words);
    const live = new LiveRegion(words);
    this.#work = element(
      "div",
      { class: "lutnn-work" },
      element("div", { class: "lutnn-layers" }, filter.node, this.#grid.node),
      this.#tabs.node,
    );
    this.node.append(
      header.node,
      summary.node,
      this.#actions.node,
      this.#queue.node,
      live.node,
      this.#empty.node,
      this.#work,
    );
    this.#parts = [
      header,
      summary,
      this.#actions,
      this.#queue,
      live,
      this.#empty,
      filter,
      this.#grid,
      ...this.#pages.all,
    ];
    this.#theme = onThemeChange(() => this.#paint());
    this.#paint();
    this.#show(null);
  }

  get model(): PanelModel | null {
    return this.#model;
  }

  /** Follows another model; null where there is no notebook. */
  set model(model: PanelModel | null) {
    if (model === this.#model) return;
    this.#model?.changed.disconnect(this.#onChanged, this);
    this.#show(model);
    model?.changed.connect(this.#onChanged, this);
  }

  get choices(): Choices {
    return this.#actions.choices;
  }

  set settings(settings: PanelSettings) {
    this.#settings = settings;
    this.#frames.rate = settings.updateRate;
    this.#grid.showsLoss = settings.metric === "loss";
    if (this.#model) this.#model.measure = settings.chart;
    this.#frames.add(["rows"]);
  }

  /** Shows the page of the active layer; `sizes` puts the keyboard to K and V. */
  openLayer(sizes = false): void {
    this.#tabs.show("layer");
    if (sizes) this.#pages.layer.use((page) => page.focusSizes());
  }

  showPage(name: string): void {
    this.#tabs.show(name);
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.model = null;
    this.#frames.stop();
    this.#theme.disconnect();
    for (const part of this.#parts) part.dispose?.();
    super.dispose();
  }

  protected override onAfterAttach(): void {
    for (const page of this.#pages.all) page.attach();
  }

  protected override onActivateRequest(): void {
    const target = this.#work.hidden ? this.#empty.node.querySelector("button") : this.#grid.node;
    target?.focus();
  }

  #onChanged(_: PanelModel, changes: ReadonlySet<Change>): void {
    this.#frames.add(changes);
  }

  #show(model: PanelModel | null): void {
    this.#model = model;
    this.#queue.clear();
    if (model) {
      model.measure = this.#settings.chart;
      this.#frames.add(everything);
      return;
    }
    this.#frames.stop();
    for (const { node } of this.#parts.slice(0, 4)) node.hidden = true;
    this.#work.hidden = true;
    this.#empty.node.hidden = false;
    this.#empty.show("none");
  }

  #draw(changes: ReadonlySet<Change>): void {
    const model = this.#model;
    if (!model || this.isDisposed) return;
    this.#work.hidden = model.overview === undefined;
    for (const part of this.#parts) part.update(model, changes);
  }

  /** The palette exists once, in TypeScript; style sheets read it here. */
  #paint(): void {
    const colours = palette[document.body.dataset.jpThemeLight === "false" ? "dark" : "light"];
    for (const [name, index] of [
      ["only", 0],
      ["without", 1],
      ["good", 2],
      ["grey", greyColor],
    ] as const)
      this.node.style.setProperty(`--lutnn-${name}`, colours[index]);
  }
}
