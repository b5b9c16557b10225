import { type Data, examplesOf } from "../datasets/from";
import { expressionNow, Named } from "./record";

/** Data that a verb was given. */
export interface KnownData {
  readonly given: Data;
  readonly name: string;
  /** Examples. */
  readonly size: number;
}

/** From what commands learn, and on what they measure, unless they are told. */
export type DataRole = "train" | "validation";

/** TypeScript for data, if a variable of the notebook holds them. */
export const dataExpression = ({ given }: KnownData): string | null => expressionNow(given);

/** Data as an argument of a verb that is noted. */
export const namedData = (given: Data, { name, size }: { name: string; size: number }, suffix = ""): Named =>
  new Named(given, `the data ${name} (${size.toLocaleString("en")} examples)`, suffix);

/** Whether figures of the one are figures of the other. */
function isSame(a: KnownData, b: KnownData): boolean {
  if (a.given === b.given) return true;
  const expression = dataExpression(a);
  return expression !== null && expression === dataExpression(b) && a.name === b.name && a.size === b.size;
}

/** The data that a conversion's verbs were given last, or those that were set. */
export class DataMemory {
  private readonly known = new Map<DataRole, KnownData>();
  private readonly fixed = new Set<DataRole>();

  get(role: DataRole): KnownData | null {
    return this.known.get(role) ?? null;
  }

  /** A verb was given data; where some were set, these stay. @returns whether they are the data of that role */
  note(role: DataRole, data: KnownData): { isRole: boolean; isOther: boolean } {
    const before = this.known.get(role);
    const same = before !== undefined && isSame(before, data);
    if (this.fixed.has(role)) return { isRole: same, isOther: false };
    if (!same) this.known.set(role, data);
    return { isRole: true, isOther: !same };
  }

  /** @returns whether these are other data than before */
  async set(role: DataRole, given: Data): Promise<boolean> {
    const { name, size } = await examplesOf(given);
    const data = { given, name, size };
    const before = this.known.get(role);
    const isOther = before === undefined || !isSame(before, data);
    this.known.set(role, data);
    this.fixed.add(role);
    return isOther;
  }
}
