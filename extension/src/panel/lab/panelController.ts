// Loaded when the panel is first needed; what JupyterLab loads at its start is panelPlugin.ts.
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import { type ISignal, Signal } from "@lumino/signaling";
import { type Action, type ActionName, actions, perform, stop } from "../model/actions";
import { cellOfLayer } from "../model/notebookCells";
import type { PanelModel } from "../model/panelModel";
import type { PanelSettings } from "../settings";
import { type PanelHost, PanelView } from "../view/panelView";
import type { Words } from "../view/words";
import { NotebookLink } from "./notebookLink";

const noChoices = { method: "", epochs: 1, learningRate: null };

/** Ties notebooks, their models and the views of the panel together: all views follow the active notebook. */
export class PanelController implements PanelHost {
  readonly #links = new Map<NotebookPanel, NotebookLink>();
  readonly #views = new Set<PanelView>();
  readonly #changed = new Signal<this, PanelModel | null>(this);
  #notebook: NotebookPanel | null = null;

  constructor(
    tracker: INotebookTracker,
    private readonly words: Words,
    private settings: PanelSettings,
    readonly openTutorials: () => void,
  ) {
    tracker.currentChanged.connect((_, notebook) => this.follow(notebook));
    this.follow(tracker.currentWidget);
  }

  /** The active notebook's model; null without one. */
  get model(): PanelModel | null {
    return this.#notebook && this.link(this.#notebook).model;
  }

  /** Emitted when another notebook becomes the active one. */
  get modelChanged(): ISignal<this, PanelModel | null> {
    return this.#changed;
  }

  /** Makes a model for a notebook, unless it has one, and asks its kernel. */
  link(notebook: NotebookPanel): NotebookLink {
    const there = this.#links.get(notebook);
    if (there) return there;
    const made = new NotebookLink(notebook.sessionContext);
    this.#links.set(notebook, made);
    notebook.disposed.connect(() => {
      made.dispose();
      this.#links.delete(notebook);
      if (this.#notebook === notebook) this.follow(null);
    });
    return made;
  }

  follow(notebook: NotebookPanel | null): void {
    if (notebook?.isDisposed) return;
    this.#notebook = notebook;
    const { model } = this;
    for (const view of this.#views) view.model = model;
    this.#changed.emit(model);
  }

  createView(): PanelView {
    const view = new PanelView(this.words, this);
    view.settings = this.settings;
    view.model = this.model;
    this.#views.add(view);
    view.disposed.connect(() => this.#views.delete(view));
    return view;
  }

  apply(settings: PanelSettings): void {
    this.settings = settings;
    for (const view of this.#views) view.settings = settings;
  }

  // Commands --------------------------------------------------------------------------------------------------------

  can(name: ActionName): boolean {
    const action: Action = actions[name];
    return this.model !== null && action.command(this.model, this.#choices) !== null;
  }

  async perform(name: ActionName): Promise<void> {
    if (this.model) await perform(name, this.model, this.#choices);
  }

  stop(): void {
    if (this.model) stop(this.model);
  }

  insertPresentCell(): void {
    const { model } = this;
    if (model?.history) void this.insertCell(model, model.history.current);
  }

  savePresentFile(): void {
    if (this.model) void this.saveFile(this.model);
  }

  /** Shows where K and V of the active layer are changed. */
  changeSizes(): void {
    this.#seenView?.openLayer(true);
  }

  // What views ask for ----------------------------------------------------------------------------------------------

  async insertCell(model: PanelModel, state: number): Promise<void> {
    const code = await model.cell(state);
    const notebook = this.#notebookOf(model);
    const shared = notebook?.content.model?.sharedModel;
    if (code === null || !notebook || !shared) return;
    const index = notebook.content.activeCellIndex + 1;
    shared.insertCell(index, { cell_type: "code", source: code, metadata: { trusted: true }, outputs: [] });
    notebook.content.activeCellIndex = index;
    void notebook.content.scrollToItem(index);
    model.say({
      kind: "result",
      text: this.words.__("Inserted as cell %1: it leads to state %2.", index + 1, state),
    });
  }

  async saveFile(model: PanelModel): Promise<void> {
    const { askForFile } = await import("./saveDialog");
    const wanted = await askForFile(this.words, `${model.variable}.lut.onnx`);
    if (wanted) await model.command({ verb: "save", ...wanted });
  }

  showLayerCell(model: PanelModel, layer: string): void {
    const notebook = this.#notebookOf(model);
    const cells = notebook?.content.model?.sharedModel.cells ?? [];
    const sources = cells.map((cell) => (cell.cell_type === "code" ? cell.getSource() : null));
    const index = cellOfLayer(sources, layer, model.variable);
    if (!notebook || index < 0) return;
    notebook.content.activeCellIndex = index;
    void notebook.content.scrollToItem(index, "center");
  }

  // Inside ----------------------------------------------------------------------------------------------------------

  get #seenView(): PanelView | undefined {
    return [...this.#views].find(({ isVisible }) => isVisible) ?? [...this.#views][0];
  }

  get #choices() {
    return this.#seenView?.choices ?? noChoices;
  }

  #notebookOf(model: PanelModel): NotebookPanel | undefined {
    return [...this.#links].find(([, link]) => link.model === model)?.[0];
  }
}
