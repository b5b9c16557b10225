// What a verb was called with, as plain data, so that a state can be told, stored, and made again.
import { type Ancestor, expressionOf, origins } from "../datasets/derivation";
import { nameOf } from "../host/nameOf";

/** JSON in which `{ $value: i }` stands for the i-th of the record's values. */
export type Argument =
  | null
  | boolean
  | number
  | string
  | readonly Argument[]
  | { readonly [name: string]: Argument };

/** A value that code can only name, such as data. */
export interface ValueNote {
  /** What it is, for a sentence: "the data digits (1,024 examples)". */
  readonly what: string;
  /** TypeScript for it, as of the time of the call; null where no variable held it. */
  readonly expression: string | null;
}

/** The verb and options that made a state. */
export interface VerbRecord {
  readonly verb: string;
  readonly args: readonly Argument[];
  readonly values: readonly ValueNote[];
  /** Why calling the verb again does not make the state again: of conversions that were stored when stopped trainings had no code. */
  readonly unwritten?: string;
}

/** Marks an argument that code can only name. */
export class Named {
  /** @param suffix what is called on it: ".take(4096)" */
  constructor(
    readonly value: object,
    readonly what: string,
    readonly suffix = "",
  ) {}
}

/** From what the values of notes can be made, as long as that is there; a note that was read from a file has none. */
const originsOf = new WeakMap<ValueNote, { from: readonly Ancestor[]; suffix: string }>();

/** TypeScript for a value in the notebook as it is now; null where no variable holds it, or that from which it was made. */
const nameNow = (from: readonly Ancestor[]): string | null => expressionOf(from, nameOf);

export const expressionNow = (value: object): string | null => nameNow(origins(value));

function noteOf({ value, what, suffix }: Named): ValueNote {
  const from = origins(value);
  const name = nameNow(from);
  const note: ValueNote = { what, expression: name === null ? null : name + suffix };
  originsOf.set(note, { from, suffix });
  return note;
}

const isPlain = (value: object): boolean => [Object.prototype, null].includes(Object.getPrototypeOf(value));

/** A record of a call. Options that are undefined are left out, values that are no JSON are noted by name. */
export function recordOf(verb: string, args: readonly unknown[]): VerbRecord {
  const values: ValueNote[] = [];
  const argument = (value: unknown, place: string): Argument => {
    if (value === null || value === undefined) return null;
    if (typeof value === "boolean" || typeof value === "number" || typeof value === "string") return value;
    if (value instanceof Named) return { $value: values.push(noteOf(value)) - 1 };
    if (Array.isArray(value)) return value.map((item, i) => argument(item, `${place}[${i}]`));
    if (typeof value === "object" && isPlain(value))
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([name, item]) => [name, argument(item, name)]),
      );
    return { $value: values.push(noteOf(new Named(Object(value), `the option ${place}`))) - 1 };
  };
  const written = args.map((value, i) => argument(value, `argument ${i + 1}`));
  return { verb, args: written, values };
}

/** TypeScript for a value that was noted, or why there is none. */
function noteCode(note: ValueNote): { code: string } | { unwritten: string } {
  const known = originsOf.get(note);
  const name = known ? nameNow(known.from) : null;
  if (known && name !== null) return { code: name + known.suffix };
  if (!known && note.expression !== null) return { code: note.expression };
  return {
    unwritten: `no variable of the notebook holds ${note.what}; give it a name at the top level of a cell: const data = …`,
  };
}

const identifier = /^[A-Za-z_$][\w$]*$/;

function literal(value: Argument, values: readonly string[]): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, values)).join(", ")}]`;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0][0] === "$value") {
    const [[, index]] = entries;
    if (typeof index === "number" && values[index] !== undefined) return values[index];
  }
  const parts = entries.map(([name, item]) => {
    // As a plain name, __proto__ would set the prototype.
    const key = name === "__proto__" ? '["__proto__"]' : identifier.test(name) ? name : JSON.stringify(name);
    const code = literal(item, values);
    return key === code ? key : `${key}: ${code}`;
  });
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}

const isEmpty = (value: Argument): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

/** The call as TypeScript: "conversion.replace("conv2")"; or why it cannot be written. */
export function callCode(record: VerbRecord, receiver: string): { code: string } | { unwritten: string } {
  if (record.unwritten !== undefined) return { unwritten: record.unwritten };
  const values: string[] = [];
  for (const note of record.values) {
    const found = noteCode(note);
    if ("unwritten" in found) return found;
    values.push(found.code);
  }
  const args = [...record.args];
  while (args.length > 0 && isEmpty(args[args.length - 1])) args.pop();
  return { code: `${receiver}.${record.verb}(${args.map((one) => literal(one, values)).join(", ")})` };
}
