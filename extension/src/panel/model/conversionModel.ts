import type { ConversionSections, KernelMessage } from "../../../../kernel/src/report/conversionMessages";

export type Section = keyof ConversionSections;
type Measures = ConversionSections["measures"];
export type Snapshot = Extract<KernelMessage, { type: "snapshot" }>;

/** One conversion as the kernel has last told of it. Holds no view and no connection. */
export class ConversionModel {
  #sections: Partial<ConversionSections> = {};
  #sequence = Number.NEGATIVE_INFINITY;
  #isWhole = false;

  constructor(readonly id: string) {}

  /** Whether every section is known. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** A section as it was last sent; undefined before the first whole snapshot. */
  get<Name extends Section>(name: Name): ConversionSections[Name] | undefined {
    return this.#isWhole ? this.#sections[name] : undefined;
  }

  /**
   * Takes a snapshot on and returns the sections that changed. One that is older than what is known changes nothing, nor
   * does a part before the whole has come.
   */
  apply({ sequence, whole, sections }: Snapshot): Section[] {
    if (!whole && (!this.#isWhole || sequence <= this.#sequence)) return [];
    const measures =
      sections.measures && merged(whole ? [] : (this.#sections.measures ?? []), sections.measures);
    this.#sections = { ...(whole ? {} : this.#sections), ...sections, ...(measures ? { measures } : {}) };
    this.#sequence = sequence;
    this.#isWhole = true;
    return Object.keys(sections) as Section[];
  }
}

/** The figures of all layers, the newer ones of a layer in place of the older. */
function merged(before: Measures, after: Measures): Measures {
  const byLayer = new Map(before.map((one) => [one.layer, one]));
  for (const one of after) byLayer.set(one.layer, one);
  return [...byLayer.values()];
}
