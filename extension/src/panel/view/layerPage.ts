import type { LayerDetail, PanelLayer } from "../../../../kernel/src/report/conversionMessages";
import { errorMeasures } from "../../../../kernel/src/report/format";
import { codebookFigure, deadCentroids, inputFigure } from "../charts/layerFigures";
import { lossOf } from "../model/layerRows";
import type { Change, PanelModel } from "../model/panelModel";
import { ChartSlot } from "./chartSlot";
import { button, element, setAttribute, setOptions, setText } from "./dom";
import { stateNames } from "./layerColumns";
import type { PageContent } from "./lazyPage";
import {
  bytesText,
  changeText,
  errorText,
  metricText,
  millisecondsText,
  operationsText,
  shapeText,
  timesText,
} from "./numbers";
import { concerns } from "./part";
import type { Words } from "./words";

/** One layer: its figures in full, its K and V to change, and what is inside. */
export class LayerPage implements PageContent {
  readonly node: HTMLElement;
  readonly #heading = element("h3");
  readonly #facts = element("dl", { class: "lutnn-facts" });
  readonly #centroids: HTMLSelectElement;
  readonly #subvector: HTMLSelectElement;
  readonly #change: HTMLButtonElement;
  readonly #form: HTMLElement;
  readonly #inside: HTMLElement;
  readonly #insideText = element("p");
  readonly #codebooks = new ChartSlot();
  readonly #inputs = new ChartSlot();
  #model: PanelModel | null = null;
  #layer: PanelLayer | undefined;
  #isShown = false;
  /** Of which layer and sizes the choices were set last: what the user chose in them stays. */
  #choicesOf = "";

  constructor(private readonly words: Words) {
    const { __ } = words;
    this.#centroids = element("select", {
      class: "jp-mod-styled",
      "aria-label": __("K, number of centroids"),
    });
    this.#subvector = element("select", {
      class: "jp-mod-styled",
      "aria-label": __("V, length of a sub-vector"),
    });
    this.#change = button(__("Change"), () => this.#resize(), {
      class: "lutnn-button",
      title: __("Change K and V of this layer; it is calibrated anew"),
    });
    for (const select of [this.#centroids, this.#subvector])
      select.addEventListener("change", () => this.#markChange());
    this.#form = element(
      "div",
      { class: "lutnn-resize", role: "group", "aria-label": __("Sizes of the lookup") },
      element("label", {}, "K", this.#centroids),
      element("label", {}, "V", this.#subvector),
      this.#change,
    );
    this.#inside = element(
      "div",
      {},
      element("h4", {}, __("Use of the centroids, and error of each codebook")),
      this.#insideText,
      this.#codebooks.node,
      element("h4", {}, __("Inputs, and where the centroids' values lie")),
      this.#inputs.node,
    );
    this.node = element("div", {}, this.#heading, this.#form, this.#facts, this.#inside);
  }

  onShown(isShown: boolean): void {
    this.#isShown = isShown;
    if (this.#model) this.#model.wantsDetail = isShown;
    if (isShown) this.#draw();
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    const isOther = model !== this.#model;
    if (isOther) {
      if (this.#model) this.#model.wantsDetail = false;
      this.#model = model;
      this.#choicesOf = "";
      model.wantsDetail = this.#isShown;
    }
    if (this.#isShown && (isOther || concerns(changes, "rows", "selection", "detail", "commands")))
      this.#draw();
  }

  /** Puts the keyboard where K is chosen. */
  focusSizes(): void {
    this.#centroids.focus();
  }

  attach(): void {
    this.#codebooks.attach();
    this.#inputs.attach();
  }

  dispose(): void {
    if (this.#model) this.#model.wantsDetail = false;
    this.#codebooks.dispose();
    this.#inputs.dispose();
  }

  #draw(): void {
    const model = this.#model;
    const layer = model?.activeLayer;
    this.#layer = layer;
    if (!model || !layer) return;
    const detail = model.detail?.layer === layer.name ? model.detail : null;
    this.#inside.hidden = detail === null;
    setText(this.#heading, layer.name);
    this.#drawFacts(model, layer);
    this.#drawChoices(layer);
    if (detail) this.#drawInside(detail);
  }

  #drawFacts(model: PanelModel, layer: PanelLayer): void {
    const { __ } = this.words;
    const { before, after, method } = layer;
    const measures = model.conversion?.get("measures")?.find((one) => one.layer === layer.name);
    const { metric } = model;
    const both = (of: "operations" | "bytes", text: (value: number) => string) =>
      `${text(before[of])} → ${text(after[of])} (${timesText(before[of], after[of])})`;
    const measured = (value: number | null | undefined) =>
      typeof value === "number"
        ? __(
            "%1 (%2 against the dense network)",
            metricText(value, metric),
            changeText(lossOf(value, metric), metric),
          )
        : "–";
    const state = stateNames(this.words)[layer.state];
    const facts: [string, string][] = [
      [__("State"), method ? `${state}, ${method}` : state],
      [__("Operator"), `${layer.op}, ${shapeText(layer.inputShape)} → ${shapeText(layer.outputShape)}`],
      [
        __("Lookup"),
        `N ${layer.positions}, D ${layer.inputLength}, M ${layer.outputs}; K ${layer.numCentroids}, V ${layer.subvectorLength}, C ${layer.numCodebooks}`,
      ],
      [__("FLOPs"), both("operations", operationsText)],
      [__("Bytes"), both("bytes", bytesText)],
      [__("Time"), `${millisecondsText(before.milliseconds)} → ${millisecondsText(after.milliseconds)}`],
      [__("Only this replaced"), measured(measures?.onlyThis)],
      [__("All but this replaced"), measured(measures?.allButThis)],
      [
        __("Error of this layer"),
        `${errorText(measures?.local?.[model.measure])} (${errorMeasures[model.measure]})`,
      ],
      [
        __("Error accumulated"),
        `${errorText(measures?.accumulated?.[model.measure])} (${errorMeasures[model.measure]})`,
      ],
    ];
    const measuredIn = [
      [__("Metrics measured"), measures?.state],
      [__("Errors measured"), measures?.errorsState],
    ] as const;
    for (const [what, at] of measuredIn)
      if (typeof at === "number" && at !== model.history?.current)
        facts.push([what, __("in state %1, not the present one", at)]);
    if (this.#facts.childElementCount !== facts.length)
      this.#facts.replaceChildren(...facts.map(() => element("div", {}, element("dt"), element("dd"))));
    for (const [index, [name, value]] of facts.entries()) {
      const [term, text] = this.#facts.children[index].children;
      setText(term, name);
      setText(text, value);
    }
  }

  #drawChoices({ name, numCentroids, subvectorLength, choices }: PanelLayer): void {
    const options = (values: readonly number[]) =>
      values.map((value) => ({ value: String(value), text: String(value) }));
    const of = JSON.stringify([name, numCentroids, subvectorLength, choices]);
    if (of !== this.#choicesOf) {
      this.#choicesOf = of;
      setOptions(this.#centroids, options(choices.numCentroids), String(numCentroids));
      setOptions(this.#subvector, options(choices.subvectorLengths), String(subvectorLength));
    }
    this.#markChange();
  }

  get #wantedSizes(): { numCentroids: number; subvectorLength: number } | null {
    const layer = this.#layer;
    const [numCentroids, subvectorLength] = [Number(this.#centroids.value), Number(this.#subvector.value)];
    const differs =
      layer && (layer.numCentroids !== numCentroids || layer.subvectorLength !== subvectorLength);
    return differs ? { numCentroids, subvectorLength } : null;
  }

  #markChange(): void {
    setAttribute(this.#change, "aria-disabled", this.#wantedSizes ? null : "true");
  }

  #resize(): void {
    const sizes = this.#wantedSizes;
    if (sizes && this.#layer)
      void this.#model?.command({ verb: "resize", layer: this.#layer.name, ...sizes });
  }

  #drawInside(detail: LayerDetail): void {
    const { __ } = this.words;
    const dead = deadCentroids(detail).length;
    const all = detail.codebooks.reduce((sum, { counts }) => sum + counts.length, 0);
    const errors = detail.codebooks.map(({ error }) => error);
    const worst = errors.indexOf(Math.max(...errors));
    const summary = [
      __("%1 codebooks, %2 rows.", detail.codebooks.length, detail.rows.toLocaleString("en")),
      dead === 0
        ? __("Every centroid is used.")
        : __("%1 of %2 centroids are dead (crossed): no row uses them.", dead, all),
      worst >= 0 ? __("The largest error, %1, is that of codebook %2.", errorText(errors[worst]), worst) : "",
    ].join(" ");
    setText(this.#insideText, summary);
    this.#codebooks.draw(summary, (width, theme) => codebookFigure(detail, width, theme, this.words));
    const { edges } = detail.inputs;
    this.#inputs.draw(
      __("Histogram of the inputs from %1 to %2.", errorText(edges[0]), errorText(edges.at(-1))),
      (width, theme) => inputFigure(detail, width, theme, this.words),
    );
  }
}
