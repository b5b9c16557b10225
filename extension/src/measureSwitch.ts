import { Widget } from "@lumino/widgets";
import { errorMeasures } from "../../kernel/src/report/format";
import type { ErrorMeasure } from "./errorFigure";

const meanings: Record<ErrorMeasure, string> = {
  relative: "Squared error divided by the variance of the dense output",
  unexplained: "What remains after the best scale and offset per channel, which a batch norm can apply",
};
let switches = 0;

/** Radio buttons that choose the measure. */
export class MeasureSwitch extends Widget {
  #value: ErrorMeasure = "relative";

  constructor(onChange: (measure: ErrorMeasure) => void) {
    super({ node: document.createElement("fieldset") });
    this.addClass("lutnn-measure");
    this.node.ariaLabel = "Error measure";
    const name = `lutnn-measure-${switches++}`;
    for (const measure of ["relative", "unexplained"] as const) {
      const label = document.createElement("label");
      label.title = meanings[measure];
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name, value: measure, checked: measure === this.#value });
      input.dataset.lmSuppressShortcuts = "true"; // arrow keys choose here, instead of moving to another cell
      input.addEventListener("change", () => {
        this.#value = measure;
        onChange(measure);
      });
      label.append(input, errorMeasures[measure]);
      this.node.append(label);
    }
  }

  get value(): ErrorMeasure {
    return this.#value;
  }

  /** Chooses without telling. */
  set value(measure: ErrorMeasure) {
    this.#value = measure;
    for (const input of this.node.querySelectorAll("input")) input.checked = input.value === measure;
  }
}
