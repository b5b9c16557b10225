import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { PanelLayout, Widget } from "@lumino/widgets";
import { Plot } from "./plot";
import { PLOTLY_MIME } from "./plotlyMime";
import { themedFigure } from "./themedFigure";

/** Draws plotly JSON in the colours of the page, or one sentence that says why it cannot. */
export class PlotlyRenderer extends Widget implements IRenderMime.IRenderer {
  readonly #plot = new Plot((reason) => this.#setProblem(`This figure cannot be shown: ${reason}.`));
  readonly #problem = new Widget({ node: document.createElement("p") });

  constructor() {
    super();
    this.addClass("lutnn-output");
    const layout = new PanelLayout();
    this.layout = layout;
    layout.addWidget(this.#problem);
    layout.addWidget(this.#plot);
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const figure = model.data[PLOTLY_MIME];
    this.#setProblem("");
    return this.#plot.draw((width, theme) => themedFigure(figure, width, theme));
  }

  #setProblem(sentence: string): void {
    this.#problem.node.textContent = sentence;
    this.#problem.setHidden(sentence === "");
    this.#plot.setHidden(sentence !== "");
  }
}
