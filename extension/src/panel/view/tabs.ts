import { element, newId, setAttribute } from "./dom";

export interface Page {
  name: string;
  title: string;
  node: HTMLElement;
  /** Is called with true when the page comes into sight, with false when it leaves. */
  onShown?(isShown: boolean): void;
}

/** Pages of which one is in sight (APG's tabs pattern: arrow keys choose). */
export class Tabs {
  readonly node: HTMLElement;
  readonly #tabs: HTMLButtonElement[];
  #shown = -1;

  constructor(
    label: string,
    private readonly pages: readonly Page[],
  ) {
    this.#tabs = pages.map(({ title, node }, index) => {
      const id = newId("tab");
      Object.assign(node, { role: "tabpanel", id: `${id}-page`, tabIndex: 0 });
      node.setAttribute("aria-labelledby", id);
      node.hidden = true;
      const tab = element(
        "button",
        { type: "button", role: "tab", id, "aria-controls": `${id}-page` },
        title,
      );
      tab.addEventListener("click", () => this.#show(index));
      return tab;
    });
    const list = element("div", { class: "lutnn-tabs", role: "tablist", "aria-label": label }, ...this.#tabs);
    list.addEventListener("keydown", (event) => this.#onKey(event));
    this.node = element(
      "section",
      { class: "lutnn-pages", "aria-label": label },
      list,
      ...pages.map(({ node }) => node),
    );
    this.#show(0);
  }

  get shown(): string {
    return this.pages[this.#shown].name;
  }

  show(name: string): void {
    const index = this.pages.findIndex((page) => page.name === name);
    if (index >= 0) this.#show(index);
  }

  #show(index: number): void {
    if (index === this.#shown) return;
    const before = this.#shown;
    this.#shown = index;
    for (const [at, { node }] of this.pages.entries()) {
      node.hidden = at !== index;
      setAttribute(this.#tabs[at], "aria-selected", String(at === index));
      this.#tabs[at].tabIndex = at === index ? 0 : -1;
    }
    if (before >= 0) this.pages[before].onShown?.(false);
    this.pages[index].onShown?.(true);
  }

  #onKey(event: KeyboardEvent): void {
    const last = this.pages.length - 1;
    const to: Record<string, number> = {
      ArrowLeft: this.#shown === 0 ? last : this.#shown - 1,
      ArrowRight: this.#shown === last ? 0 : this.#shown + 1,
      Home: 0,
      End: last,
    };
    if (!Object.hasOwn(to, event.key)) return;
    event.preventDefault();
    this.#show(to[event.key]);
    this.#tabs[this.#shown].focus();
  }
}
