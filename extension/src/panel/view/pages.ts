import type { PanelModel } from "../model/panelModel";
import type { ErrorsPageEvents } from "./errorsPage";
import type { LayerPage } from "./layerPage";
import { LazyPage } from "./lazyPage";
import type { Words } from "./words";

export interface PagesEvents extends ErrorsPageEvents {
  /** A cell that leads to this state is wanted. */
  onInsert(state: number): void;
}

/** The panel's pages in the order of their tabs, none of them loaded yet. */
export function lazyPages(words: Words, { onLayer, onInsert }: PagesEvents) {
  const { __ } = words;
  const charts = () => import("./chartPages");
  const layer = new LazyPage<LayerPage>(words, {
    name: "layer",
    title: __("Layer"),
    load: async () => new (await charts()).LayerPage(words),
    needs: {
      of: (model: PanelModel) => model.activeLayer !== undefined,
      sentence: __("Choose a layer to look into it."),
    },
  });
  const errors = new LazyPage(words, {
    name: "errors",
    title: __("Errors"),
    load: async () => new (await charts()).ErrorsPage(words, { onLayer }),
  });
  const training = new LazyPage(words, {
    name: "training",
    title: __("Training"),
    load: async () => new (await charts()).TrainingPage(words),
  });
  const plan = new LazyPage(words, {
    name: "plan",
    title: __("Plan"),
    load: async () => new (await charts()).PlanPage(words),
  });
  const history = new LazyPage(words, {
    name: "history",
    title: __("History"),
    load: async () => new (await import("./historyPage")).HistoryPage(words, onInsert),
  });
  return { layer, all: [layer, errors, training, plan, history] as const };
}
