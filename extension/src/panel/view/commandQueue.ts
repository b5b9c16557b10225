import type { PanelCommandStatus } from "../../../../kernel/src/report/conversionMessages";
import type { Change, PanelModel } from "../model/panelModel";
import { button, element, setAttribute, setText } from "./dom";
import { concerns, type Part } from "./part";
import { progressText } from "./progressText";
import type { Words } from "./words";

class CommandRow {
  readonly #name = element("span", { class: "lutnn-command-name" });
  readonly #progress = element("span", { class: "lutnn-muted" });
  readonly #bar = element("progress");
  readonly #take: HTMLButtonElement;
  readonly node: HTMLElement;

  constructor(
    private readonly words: Words,
    onTake: () => void,
  ) {
    this.#take = button("", onTake, { class: "lutnn-button" });
    this.node = element("li", {}, this.#name, this.#progress, this.#bar, this.#take);
  }

  show(command: PanelCommandStatus): void {
    const { name, state, progress } = command;
    const runs = state === "running";
    const { __ } = this.words;
    setAttribute(this.node, "data-state", state);
    setText(this.#name, name);
    setText(this.#progress, runs ? progressText(command, this.words) : __("waits"));
    this.#bar.hidden = !runs;
    setAttribute(this.#bar, "aria-label", __("Progress of %1", name));
    if (progress && progress.total > 0) {
      setAttribute(this.#bar, "max", progress.total);
      setAttribute(this.#bar, "value", progress.done);
    } else this.#bar.removeAttribute("value");
    setText(this.#take, runs ? __("Stop") : __("Take back"));
    setAttribute(this.#take, "aria-label", runs ? __("Stop %1", name) : __("Take back %1", name));
  }
}

/** What runs and what waits for it; each can be stopped or taken back. */
export class CommandQueue implements Part {
  readonly #list: HTMLUListElement;
  readonly node: HTMLElement;
  readonly #rows = new Map<number, CommandRow>();

  constructor(private readonly words: Words) {
    this.#list = element("ul", {
      class: "lutnn-queue",
      "aria-label": words.__("Commands that run and wait"),
    });
    this.node = element("div", { class: "lutnn-queue-place" }, this.#list);
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    if (!concerns(changes, "commands", "link", "conversions")) return;
    const { commands } = model;
    this.node.hidden = commands.length === 0;
    const there = new Set(commands.map(({ id }) => id));
    for (const [id, { node }] of this.#rows)
      if (!there.has(id)) {
        node.remove();
        this.#rows.delete(id);
      }
    for (const command of commands) {
      let row = this.#rows.get(command.id);
      if (!row) {
        row = new CommandRow(this.words, () => model.cancel(command.id));
        this.#rows.set(command.id, row);
        this.#list.append(row.node);
      }
      row.show(command);
    }
  }

  /** Another model's commands have the same numbers. */
  clear(): void {
    this.#rows.clear();
    this.#list.replaceChildren();
  }
}
