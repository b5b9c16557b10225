import { LutnnError } from "../errors";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import { Table } from "./table";

/** What measured figures say of a claim. */
export type Verdict = "holds" | "fails" | "within noise";

export interface ClaimOptions {
  /**
   * What the mean margin may be off by, two standard errors, in the margins' unit. Default: from the spread of the
   * margins, of which there must be at least two then. With both, the larger counts.
   */
  noise?: number;
  /** Default "points". */
  unit?: string;
}

/**
 * A claim with the figures that speak for or against it: a margin for each repetition, above 0 where the claim is true.
 * It holds when the mean margin is above the noise, and fails when it is below minus the noise.
 */
export class Claim implements Displayable {
  readonly margin: number;
  readonly noise: number;
  readonly unit: string;

  constructor(
    readonly statement: string,
    readonly margins: readonly number[],
    options: ClaimOptions = {},
  ) {
    const count = margins.length;
    if (count === 0 || !margins.every(Number.isFinite))
      throw new LutnnError(`claim: at least one margin is needed, all finite (got [${margins.join(", ")}])`);
    if (count === 1 && options.noise === undefined)
      throw new LutnnError("claim: one margin has no spread; pass { noise } or more repetitions");
    this.unit = options.unit ?? "points";
    this.margin = margins.reduce((sum, margin) => sum + margin, 0) / count;
    const squares = margins.reduce((sum, margin) => sum + (margin - this.margin) ** 2, 0);
    const spread = count > 1 ? 2 * Math.sqrt(squares / (count - 1) / count) : 0;
    this.noise = Math.max(spread, options.noise ?? 0);
  }

  get verdict(): Verdict {
    if (this.margin > this.noise) return "holds";
    return this.margin < -this.noise ? "fails" : "within noise";
  }

  toString(): string {
    const signed = `${this.margin < 0 ? "−" : "+"}${Math.abs(this.margin).toFixed(2)}`;
    return `${this.statement}: ${this.verdict} (${signed} ± ${this.noise.toFixed(2)} ${this.unit})`;
  }

  [displaySymbol](): MimeBundle {
    return claimTable([this])[displaySymbol]();
  }
}

/** Several claims, one below the other. */
export function claimTable(claims: readonly Claim[], title?: string): Table {
  const rows = claims.map(({ statement, margins, margin, noise, unit, verdict }) => [
    statement,
    margin.toFixed(2),
    noise.toFixed(2),
    unit,
    margins.length,
    verdict,
  ]);
  return new Table(["claim", "margin", "noise (±)", "unit", "repetitions", "verdict"], rows, title);
}

/**
 * Two standard errors of the difference of two accuracies (per cent) near `accuracy`, each measured on `size` images
 * of their own: √2 of a binomial share's. On the same images the difference is surer than that.
 */
export function accuracyNoise(accuracy: number, size: number): number {
  const share = Math.min(1, Math.max(0, accuracy / 100));
  return 200 * Math.sqrt((2 * share * (1 - share)) / size);
}
