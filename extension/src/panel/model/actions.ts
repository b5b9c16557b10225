// What can be done with the network: when, and by which command. Buttons, menu and keys all come from this list.
import type { PanelCommand } from "../../../../kernel/src/report/conversionMessages";
import type { PanelModel } from "./panelModel";

/** What the user has set beside the buttons. */
export interface Choices {
  /** A calibration method's name. */
  method: string;
  epochs: number;
  /** Null for the default. */
  learningRate: number | null;
}

export interface Action {
  /** The command that it sends; null where it cannot be done now. */
  command(model: PanelModel, choices: Choices): PanelCommand | null;
  /** Why it cannot, where the user can change that. */
  hint?(model: PanelModel): string | null;
}

const hasState = (model: PanelModel, names: readonly string[], ...states: string[]): string[] =>
  model.layers
    .filter(({ name, state }) => names.includes(name) && states.includes(state))
    .map(({ name }) => name);

const needsTrain = ({ overview, variable }: PanelModel): string | null =>
  overview && !overview.train
    ? `The panel does not know which data to learn from; run a cell with: await lutnn.panel(${variable}, { train })`
    : null;

const needsValidation = ({ overview, variable }: PanelModel): string | null =>
  overview && !overview.validation
    ? `The panel does not know which data to measure on; run a cell with: await lutnn.panel(${variable}, { validation: test })`
    : null;

const measure = (what: Extract<PanelCommand, { verb: "measure" }>["what"]): Action => ({
  command: ({ overview }) => (overview?.validation ? { verb: "measure", what } : null),
  hint: needsValidation,
});

export const actions = {
  replace: {
    command: (model) => {
      const layers = hasState(model, model.targets, "calibrated");
      return layers.length > 0 ? { verb: "replace", layers } : null;
    },
    hint: (model) =>
      hasState(model, model.targets, "dense").length > 0
        ? "Calibrate the layer first."
        : "Choose a calibrated layer.",
  },
  restore: {
    command: (model) => {
      const layers = hasState(model, model.targets, "replaced", "training");
      return layers.length > 0 ? { verb: "restore", layers } : null;
    },
    hint: () => "Choose a replaced layer.",
  },
  replaceUpTo: {
    command: ({ selection, activeLayer }) =>
      activeLayer && selection.active !== null ? { verb: "replaceUpTo", layer: activeLayer.name } : null,
    hint: () => "Choose a layer.",
  },
  calibrate: {
    command: (model, { method }) => {
      if (!model.overview?.train || model.layers.length === 0) return null;
      const some = model.selection.size > 0 ? model.targets : [];
      return { verb: "calibrate", method, ...(some.length > 0 ? { layers: some } : {}) };
    },
    hint: needsTrain,
  },
  fineTune: {
    command: (model, { epochs, learningRate }) =>
      model.overview?.train && model.layers.some(({ state }) => state === "replaced" || state === "training")
        ? { verb: "fineTune", epochs, ...(learningRate === null ? {} : { learningRate }) }
        : null,
    hint: (model) => needsTrain(model) ?? "Replace a layer first.",
  },
  undo: { command: ({ history }) => (history?.undo ? { verb: "undo" } : null) },
  redo: { command: ({ history }) => (history?.redo ? { verb: "redo" } : null) },
  measureMetric: measure("metric"),
  measureLayers: measure("layers"),
  measureErrors: measure("errors"),
  measureTimes: { command: ({ overview }) => (overview ? { verb: "measure", what: "times" } : null) },
} satisfies Record<string, Action>;

export type ActionName = keyof typeof actions;

/** Does it where it can be done; else says why not. */
export async function perform(name: ActionName, model: PanelModel, choices: Choices): Promise<void> {
  const action: Action = actions[name];
  const command = action.command(model, choices);
  if (command) return model.command(command);
  const hint = action.hint?.(model);
  if (hint) model.say({ kind: "fault", text: hint });
}

/** Stops what runs. */
export function stop(model: PanelModel): void {
  if (model.running) model.cancel(model.running.id);
}
