import type { Change, PanelModel } from "../model/panelModel";

/** A piece of the panel. It is made once; `update` puts what has changed of a model into it. */
export interface Part {
  readonly node: HTMLElement;
  /** @param changes all of them where the model is another one than before */
  update(model: PanelModel, changes: ReadonlySet<Change>): void;
  dispose?(): void;
}

/** Whether one of these has changed. */
export const concerns = (changes: ReadonlySet<Change>, ...these: Change[]): boolean =>
  these.some((change) => changes.has(change));
