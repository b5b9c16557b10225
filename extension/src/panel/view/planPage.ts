import type { PlanCurve } from "../../../../kernel/src/report/conversionMessages";
import { shortNumber } from "../../../../kernel/src/report/format";
import { planCosts, planFigure } from "../charts/planFigure";
import { ChartPage } from "./chartPage";
import { ChartSlot } from "./chartSlot";
import { button, element, setAttribute } from "./dom";
import type { Words } from "./words";

/** The plan's trade-off curve, where the network stands on it, and each of its points to apply: by a click or by a button. */
export class PlanPage extends ChartPage {
  protected readonly shows = ["plan", "conversions"] as const;
  readonly node: HTMLElement;
  readonly #cost: HTMLSelectElement;
  protected readonly slot = new ChartSlot((points) => this.#clicked(points));
  readonly #table = element("table", { class: "lutnn-list" });
  readonly #result: HTMLElement;
  #drawn: PlanCurve | null = null;

  constructor(private readonly words: Words) {
    super();
    const { __ } = words;
    this.#cost = element(
      "select",
      { class: "jp-mod-styled", "aria-label": __("What the plan saves") },
      ...(["flops", "bytes", "latency"] as const).map((value) =>
        element(
          "option",
          { value },
          { flops: __("FLOPs"), bytes: __("Bytes"), latency: __("Latency") }[value],
        ),
      ),
    );
    const run = button(__("Plan"), () => this.#plan(), {
      class: "lutnn-button",
      title: __("Try each layer with several K and V, and find what is cheapest for the harm that it does"),
    });
    this.#result = element("div", {}, this.slot.node, element("div", { class: "lutnn-scroll" }, this.#table));
    this.node = element(
      "div",
      {},
      element(
        "p",
        {},
        __(
          "What the network could cost, and how far its answers would be from the dense network's. A click on a point applies it.",
        ),
      ),
      element("div", { class: "lutnn-resize" }, this.#cost, run),
      this.#result,
    );
  }

  #plan(): void {
    void this.model?.command({ verb: "plan", cost: this.#cost.value as PlanCurve["cost"] });
  }

  #apply(point: number): void {
    void this.model?.command({ verb: "applyPlan", point });
  }

  /** The curve is the first trace. */
  #clicked(points: { trace: number; point: number }[]): void {
    const onCurve = points.find(({ trace }) => trace === 0);
    if (onCurve) this.#apply(onCurve.point);
  }

  protected draw(): void {
    const plan = this.model?.conversion?.get("plan") ?? null;
    this.#result.hidden = plan === null;
    if (!plan || !this.isShown) return;
    const { __ } = this.words;
    const summary = __("Trade-off curve of %1 points.", plan.points.length);
    this.slot.draw(summary, (width, theme) => planFigure(plan, width, theme, this.words));
    if (plan === this.#drawn) return;
    this.#drawn = plan;
    const { title, scale } = planCosts(this.words)[plan.cost];
    const headings = [title, __("harm (%1)", plan.divergenceUnit), __("loses"), __("replaced"), __("Apply")];
    const body = element("tbody");
    for (const [index, { cost, harm, measuredDrop, replaced }] of plan.points.entries()) {
      const isHere = plan.now.point === index;
      const values = [
        shortNumber(cost * scale),
        shortNumber(harm),
        measuredDrop === null ? "–" : shortNumber(measuredDrop),
        String(replaced),
      ];
      const apply = button(isHere ? __("Now") : __("Apply"), () => this.#apply(index), {
        class: "lutnn-button",
        "aria-label": __("Apply the plan of %1 %2", values[0], title),
        "aria-disabled": isHere ? "true" : null,
      });
      const row = element(
        "tr",
        {},
        ...values.map((value) => element("td", {}, value)),
        element("td", {}, apply),
      );
      setAttribute(row, "aria-current", isHere ? "true" : null);
      body.append(row);
    }
    const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)));
    this.#table.replaceChildren(element("thead", {}, head), body);
  }
}
