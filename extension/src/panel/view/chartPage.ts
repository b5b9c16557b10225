import type { Change, PanelModel } from "../model/panelModel";
import type { PageContent } from "./lazyPage";
import { concerns } from "./part";

/** A page around one chart: drawn when it comes into sight, and whenever what it shows has changed. */
export abstract class ChartPage implements PageContent {
  abstract readonly node: HTMLElement;
  /** What it shows. */
  protected abstract readonly shows: readonly Change[];
  protected abstract readonly slot: { attach(): void; dispose(): void };
  protected model: PanelModel | null = null;
  protected isShown = false;

  onShown(isShown: boolean): void {
    this.isShown = isShown;
    if (isShown) this.draw();
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    const isOther = model !== this.model;
    this.model = model;
    if (isOther || concerns(changes, ...this.shows)) this.draw();
  }

  attach(): void {
    this.slot.attach();
  }

  dispose(): void {
    this.slot.dispose();
  }

  /** Charts alone wait until the page is in sight. */
  protected abstract draw(): void;
}
