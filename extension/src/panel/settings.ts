import type { ErrorMeasure } from "../errorFigure";

/** What the user may choose once for all, as schema/panel.json has it. */
export interface PanelSettings {
  /** Whether the bars' labels are the metric itself or what it loses against the dense network. */
  metric: "value" | "loss";
  /** The error that table and chart show first. */
  chart: ErrorMeasure;
  /** How often a second the panel draws, at most. */
  updateRate: number;
  /** Whether the panel opens by itself when a notebook's kernel makes its first conversion. */
  autoOpen: boolean;
  /** Where the tutorials are, below the folder that JupyterLab serves. */
  tutorials: string;
}

export const defaultSettings: PanelSettings = {
  metric: "value",
  chart: "relative",
  updateRate: 60,
  autoOpen: false,
  tutorials: "notebooks/01-first-lookup-network.ipynb",
};

/** Reads settings that come from a file: what is not as it should be is as by default. */
export function readSettings(composite: Readonly<Record<string, unknown>>): PanelSettings {
  const { metric, chart, updateRate, autoOpen, tutorials } = composite;
  return {
    metric: metric === "loss" ? "loss" : "value",
    chart: chart === "unexplained" ? "unexplained" : "relative",
    updateRate: typeof updateRate === "number" && updateRate >= 1 ? Math.min(60, updateRate) : 60,
    autoOpen: autoOpen === true,
    tutorials: typeof tutorials === "string" && tutorials !== "" ? tutorials : defaultSettings.tutorials,
  };
}
