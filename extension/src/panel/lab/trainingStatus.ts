import { type ISignal, Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";
import type { PanelModel } from "../model/panelModel";
import { progressText } from "../view/progressText";
import type { Words } from "../view/words";

/** What runs in the active notebook's conversion, with the time that is left; for the status bar. */
export class TrainingStatus extends Widget {
  #model: PanelModel | null = null;
  readonly #activeChanged = new Signal<this, void>(this);

  constructor(private readonly words: Words) {
    super({ node: document.createElement("span") });
    this.addClass("lutnn-status");
  }

  get isActive(): boolean {
    return this.#model?.running !== undefined;
  }

  get activeChanged(): ISignal<this, void> {
    return this.#activeChanged;
  }

  follow(model: PanelModel | null): void {
    this.#model?.changed.disconnect(this.#onChanged, this);
    this.#model = model;
    model?.changed.connect(this.#onChanged, this);
    this.#draw();
  }

  #onChanged(_: PanelModel, changes: ReadonlySet<string>): void {
    if (changes.has("commands") || changes.has("conversions") || changes.has("link")) this.#draw();
  }

  #draw(): void {
    const running = this.#model?.running;
    this.node.textContent = running ? `${running.name}: ${progressText(running, this.words)}` : "";
    this.#activeChanged.emit();
  }
}
