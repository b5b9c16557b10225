import type { Conversion } from "../conversion/conversion";
import { dataExpression, type KnownData } from "../conversion/knownData";
import { Outcome } from "../conversion/outcome";
import { onConversion } from "../conversion/registry";
import type { Data } from "../datasets/from";
import { currentHost } from "../host/host";
import { Panels } from "./panels";

const panels = new Panels();
onConversion((conversion) => panels.add(conversion));

export interface PanelOptions {
  /** What calibrate, resize, fineTune, plan and applyPlan learn from. */
  train?: Data;
  /** Held-out data that accuracy and errors are measured on. */
  validation?: Data;
}

function said(role: string, known: KnownData | null): string {
  if (!known) return `no ${role} data yet`;
  const name = dataExpression(known) ?? known.name;
  return `${role} data ${name} (${known.size.toLocaleString("en")} examples)`;
}

/**
 * Asks the panel in JupyterLab to show this conversion, and says which data its commands take. Without it they are those that the notebook's verbs were given
 * last: calibrate or fineTune to learn from, evaluate or errorAccumulation to measure on.
 */
export async function panel(conversion: Conversion, options: PanelOptions = {}): Promise<Outcome> {
  await conversion.useData(options);
  panels.show(conversion);
  const { train, validation } = conversion.data;
  const host = currentHost();
  return new Outcome(
    `panel of ${conversion.layers.model}: ${said("training", train)}, ${said("validation", validation)}`,
    host ? [] : ["there is no notebook here, so no panel shows it"],
  );
}
