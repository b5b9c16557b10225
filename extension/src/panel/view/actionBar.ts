import { type Action, type ActionName, actions, type Choices, perform, stop } from "../model/actions";
import type { Change, PanelModel } from "../model/panelModel";
import { actionLabels } from "./actionLabels";
import { button, element, setAttribute, setOptions } from "./dom";
import { concerns, type Part } from "./part";
import { roveToolbar } from "./rove";
import type { Words } from "./words";

const measurements = ["measureLayers", "measureErrors", "measureMetric", "measureTimes"] as const;

/** The buttons, and what is chosen beside them. */
export class ActionBar implements Part {
  readonly node: HTMLElement;
  readonly #buttons = new Map<ActionName, HTMLButtonElement>();
  readonly #stop: HTMLButtonElement;
  readonly #insert: HTMLButtonElement;
  readonly #save: HTMLButtonElement;
  readonly #measure: HTMLButtonElement;
  readonly #measured: HTMLSelectElement;
  readonly #method: HTMLSelectElement;
  readonly #epochs: HTMLInputElement;
  readonly #words: Words;
  #model: PanelModel | null = null;
  #chosenMethod: string | null = null;

  /**
   * @param onInsert inserts the cell that leads to the present state
   * @param onSave asks for a name and writes the file
   */
  constructor(words: Words, onInsert: () => void, onSave: () => void) {
    this.#words = words;
    const { __ } = words;
    this.#stop = button(__("Stop"), () => this.#model && stop(this.#model), {
      class: "lutnn-button",
      title: `${__("Stop what runs")} (S)`,
    });
    this.#insert = button(__("Insert cell"), onInsert, {
      class: "lutnn-button",
      title: __(
        "Insert a cell that does this: TypeScript that leads from a fresh conversion to the present state",
      ),
    });
    this.#save = button(__("Save…"), onSave, {
      class: "lutnn-button",
      title: __("Write the network as it is now: an ONNX file that any ONNX runtime runs"),
    });
    const labels = actionLabels(words);
    this.#measured = element(
      "select",
      { class: "jp-mod-styled", "aria-label": __("What is measured") },
      ...measurements.map((name) =>
        element("option", { value: name, title: labels[name].title }, labels[name].text),
      ),
    );
    this.#measure = button(__("Measure"), () => this.#perform(this.#measured.value as ActionName), {
      class: "lutnn-button",
      title: __("Measure what is chosen beside it"),
    });
    this.#method = element("select", { class: "jp-mod-styled", "aria-label": __("Calibration method") });
    this.#method.addEventListener("change", () => (this.#chosenMethod = this.#method.value));
    this.#epochs = element("input", {
      type: "number",
      class: "jp-mod-styled lutnn-epochs",
      min: 1,
      max: 1000,
      value: 5,
      "aria-label": __("Epochs of fine-tuning"),
      title: __("Epochs"),
    });
    this.node = element(
      "div",
      { class: "lutnn-actions", role: "toolbar", "aria-label": __("What to do with the network") },
      this.#group(__("Layers"), "replace", "restore", "replaceUpTo"),
      this.#group(__("States"), "undo", "redo", this.#stop),
      this.#group(__("Calibration"), "calibrate", this.#method),
      this.#group(__("Training"), "fineTune", this.#epochs),
      this.#group(__("Measuring"), this.#measure, this.#measured),
      this.#insert,
      this.#save,
    );
    roveToolbar(this.node);
  }

  get choices(): Choices {
    const epochs = Math.round(this.#epochs.valueAsNumber);
    return { method: this.#method.value, epochs: epochs >= 1 ? epochs : 1, learningRate: null };
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    this.#model = model;
    if (!concerns(changes, "overview", "layers", "history", "commands", "selection", "link", "conversions"))
      return;
    this.node.hidden = !model.overview;
    const { choices } = this;
    const labels = actionLabels(this.#words);
    for (const [name, one] of this.#buttons) {
      const action: Action = actions[name];
      const can = action.command(model, choices) !== null;
      const { title, key } = labels[name];
      const hint = can ? null : action.hint?.(model);
      setAttribute(one, "aria-disabled", can ? null : "true");
      setAttribute(one, "title", `${title}${key ? ` (${key})` : ""}${hint ? `\n${hint}` : ""}`);
    }
    setAttribute(this.#stop, "aria-disabled", model.running ? null : "true");
    setAttribute(this.#insert, "aria-disabled", model.history ? null : "true");
    const { overview } = model;
    if (!overview) return;
    setOptions(
      this.#method,
      overview.methods.map(({ name, title }) => ({ value: name, text: title })),
      this.#chosenMethod ?? overview.defaults.method,
    );
  }

  #group(name: string, ...parts: (ActionName | HTMLElement)[]): HTMLElement {
    const labels = actionLabels(this.#words);
    const nodes = parts.map((part) => {
      if (typeof part !== "string") return part;
      const { symbol, text } = labels[part];
      const made = element("button", { type: "button", class: "lutnn-button" }, symbol ?? text);
      if (symbol) setAttribute(made, "aria-label", text);
      made.addEventListener("click", () => this.#perform(part)); // where it cannot be done, it says why
      this.#buttons.set(part, made);
      return made;
    });
    return element("div", { class: "lutnn-group", role: "group", "aria-label": name }, ...nodes);
  }

  #perform(name: ActionName): void {
    if (this.#model) void perform(name, this.#model, this.choices);
  }
}
