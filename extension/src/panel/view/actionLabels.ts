import type { ActionName } from "../model/actions";
import type { Words } from "./words";

export interface ActionLabel {
  text: string;
  title: string;
  /** As schema/panel.json has it. */
  key?: string;
  /** What a button has instead of the text. */
  symbol?: string;
}

/** How actions are called on buttons, in the menu and in the palette. */
export function actionLabels({ __ }: Words): Record<ActionName, ActionLabel> {
  return {
    replace: { text: __("Replace"), title: __("Replace the chosen layers by their lookups"), key: "R" },
    restore: { text: __("Restore"), title: __("Give the chosen layers their dense weights back"), key: "D" },
    replaceUpTo: { text: __("Up to here"), title: __("Replace all layers up to this one"), key: "U" },
    calibrate: {
      text: __("Calibrate"),
      title: __("Learn the lookups of the chosen layers, or of all where none is chosen"),
      key: "C",
    },
    fineTune: { text: __("Fine-tune"), title: __("Train the replaced layers (soft-PQ)"), key: "F" },
    undo: { symbol: "↶", text: __("Undo"), title: __("Back to the state before"), key: "Ctrl Z" },
    redo: { symbol: "↷", text: __("Redo"), title: __("Forward again"), key: "Ctrl Shift Z" },
    measureMetric: { text: __("metric"), title: __("Measure the network as it is now") },
    measureLayers: {
      text: __("layers"),
      title: __("Measure each layer: only this one replaced, all but this one"),
    },
    measureErrors: { text: __("errors"), title: __("Measure how the error accumulates, layer by layer") },
    measureTimes: {
      text: __("times"),
      title: __("Measure milliseconds of every layer, dense and looked up"),
    },
  };
}
