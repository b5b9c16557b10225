import { SplitPanel, type Widget } from "@lumino/widgets";

/**
 * Makes the side area around a widget at least so wide, at the cost of what is widest beside it, but at most a third of all.
 * Notebook 7 opens it at a share of the page that is too narrow for a table, and asks no widget how wide it must be.
 * @param pixels the width that is wanted
 */
export function giveRoom(widget: Widget, pixels: number): void {
  for (let inner = widget, outer = widget.parent; outer; inner = outer, outer = outer.parent) {
    if (!(outer instanceof SplitPanel) || outer.orientation !== "horizontal") continue;
    const sizes = outer.relativeSizes();
    const at = outer.widgets.indexOf(inner);
    const wanted = Math.min(pixels / outer.node.clientWidth, 1 / 3);
    const widest = sizes.indexOf(Math.max(...sizes));
    if (at === widest || !(sizes[at] < wanted)) return;
    sizes[widest] -= wanted - sizes[at];
    sizes[at] = wanted;
    outer.setRelativeSizes(sizes);
    return;
  }
}
