import { MessageLoop } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import { element } from "./dom";

/** A place for a Lumino widget among plain elements. */
export class WidgetSlot {
  readonly node = element("div", { class: "lutnn-slot" });

  constructor(readonly widget: Widget) {}

  /** Puts the widget in, once the slot is in the page. */
  attach(): void {
    if (!this.widget.isAttached) Widget.attach(this.widget, this.node);
  }

  /** Tells the widget that it comes into sight, or leaves it. */
  setShown(isShown: boolean): void {
    if (this.widget.isAttached)
      MessageLoop.sendMessage(this.widget, isShown ? Widget.Msg.AfterShow : Widget.Msg.BeforeHide);
  }

  dispose(): void {
    this.widget.dispose();
  }
}
