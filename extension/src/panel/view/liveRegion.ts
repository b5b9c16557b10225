import type { Change, PanelModel } from "../model/panelModel";
import { button, element, setText } from "./dom";
import { concerns, type Part } from "./part";
import type { Words } from "./words";

/**
 * The last result, warning or fault in words: seen, and said once by screen readers. Progress is not announced. A result goes when the
 * next command begins, whose row takes its place: so what lies below stays where the reader points.
 */
export class LiveRegion implements Part {
  readonly #text = element("span", { role: "status" });
  readonly node: HTMLElement;
  #shown: PanelModel["notice"] = null;
  #isBusy = false;

  constructor(words: Words) {
    const close = button("×", () => this.#hide(), {
      class: "lutnn-button lutnn-close",
      "aria-label": words.__("Close the message"),
    });
    this.node = element("div", { class: "lutnn-notice" }, this.#text, close);
    this.#hide();
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    if (!concerns(changes, "notice", "commands", "conversions")) return;
    const isBusy = model.commands.length > 0;
    if (isBusy && !this.#isBusy && this.#shown?.kind === "result") this.#hide();
    this.#isBusy = isBusy;
    if (model.notice === this.#shown) return;
    this.#shown = model.notice;
    if (model.notice) {
      this.node.dataset.kind = model.notice.kind;
      setText(this.#text, model.notice.text);
      this.node.classList.remove("lutnn-notice-empty");
    } else this.#hide();
  }

  /** The element stays, so that what it says next is announced. */
  #hide(): void {
    setText(this.#text, "");
    this.node.classList.add("lutnn-notice-empty");
  }
}
