import type { Conversion } from "../conversion/conversion";
import type { ConversionChange } from "../conversion/core";
import type { Plan } from "../conversion/plan/plan";
import type { SectionName } from "./sections";

/** Sections that may be others after a change. */
const changed: Record<ConversionChange["kind"], readonly SectionName[]> = {
  state: ["overview", "layers", "measures", "history", "plan"],
  commands: ["commands"],
  figures: ["overview", "layers", "measures", "history", "errors", "plan"],
  errors: ["errors"],
  data: ["overview"],
  training: ["training"],
};

/** What is known of a conversion beside what it says of itself; it lives as long as the conversion. */
export class Watch {
  /** The plan that was made last. */
  plan: Plan | null = null;
  /** Whether a fine-tuning runs. */
  isTraining = false;

  /** @param onChange called with the sections that may be others */
  constructor(
    readonly id: string,
    conversion: Conversion,
    private readonly onChange: (id: string, sections: readonly SectionName[]) => void,
  ) {
    const weak = new WeakRef(conversion);
    conversion.onChange(({ kind }) => {
      onChange(id, changed[kind]);
      const isTraining = weak.deref()?.training?.done === false;
      if (isTraining === this.isTraining) return;
      this.isTraining = isTraining;
      onChange(id, ["layers"]);
    });
  }

  setPlan(plan: Plan): void {
    this.plan = plan;
    this.onChange(this.id, ["plan"]);
  }
}
