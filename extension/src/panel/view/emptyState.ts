import type { Change, LinkState, PanelModel } from "../model/panelModel";
import { button, element } from "./dom";
import { concerns, type Part } from "./part";
import type { Words } from "./words";

const example = `const conversion = lutnn.convert(model);
await lutnn.panel(conversion, { train, validation: test });`;

/** What stands in the panel while there is no conversion: why, and what to do. */
export class EmptyState implements Part {
  readonly node = element("div", { class: "lutnn-empty" });

  /** @param onTutorials opens the tutorials, where there are commands for it */
  constructor(
    private readonly words: Words,
    private readonly onTutorials: () => void,
  ) {
    this.show("none");
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    if (!concerns(changes, "link", "conversions", "overview")) return;
    this.node.hidden = model.overview !== undefined;
    if (!this.node.hidden) this.show(model.link);
  }

  show(link: LinkState): void {
    const { __ } = this.words;
    const sentences: Record<LinkState, [string, string]> = {
      none: [
        __("No notebook"),
        __("Open a TypeScript (LUT-NN) notebook: the panel follows the one you work in."),
      ],
      asking: [__("One moment"), __("The panel asks the notebook's kernel for its conversions.")],
      live: [__("No conversion yet"), __("Run a cell that makes one, and the panel shows it:")],
      quiet: [__("No conversion yet"), __("Run a cell that makes one, and the panel shows it:")],
      foreign: [
        __("Another kernel"),
        __("This notebook's kernel knows no conversions. Choose the kernel TypeScript (LUT-NN) for it."),
      ],
      restarting: [__("The kernel restarts"), __("The panel comes back by itself.")],
      dead: [
        __("The kernel has died"),
        __("Restart it by the notebook's menu Kernel. What was not stored is lost; cells make it anew."),
      ],
      unreachable: [
        __("No answer from the kernel"),
        __("The panel goes on as soon as the connection is back."),
      ],
    };
    const [title, sentence] = sentences[link];
    const children: Node[] = [element("h2", {}, title), element("p", {}, sentence)];
    if (link === "live" || link === "quiet") children.push(element("pre", { tabindex: 0 }, example));
    if (["live", "quiet", "none", "foreign"].includes(link))
      children.push(button(__("Open the tutorials"), this.onTutorials, { class: "lutnn-button" }));
    this.node.replaceChildren(...children);
  }
}
