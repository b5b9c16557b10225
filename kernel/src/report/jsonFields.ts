// Fields of JSON that comes from elsewhere, each with the words that say what is wrong with it. Imports nothing: the extension
// loads this file too, and a page that waits for it should not wait for a library.

/** Names and indices that lead to a value, outermost first. */
type Place = (string | number)[];

/** Reads a value: what is kept of it. Throws {@link Fault} at the first thing that is wrong. */
export type Field<T> = (value: unknown, place: Place) => T;

/** What a field keeps. */
export type Kept<F> = F extends Field<infer T> ? T : never;

/** What is wrong at a place, without the place. */
class Fault extends Error {
  constructor(
    rule: string,
    readonly value: unknown,
    readonly place: Place,
  ) {
    super(rule);
  }
}

/** A field of the values that are so; `rule` says what others are not. */
export const such =
  <T>(is: (value: unknown) => value is T, rule: string): Field<T> =>
  (value, place) => {
    if (is(value)) return value;
    throw new Fault(rule, value, [...place]);
  };

export const text = such((value) => typeof value === "string", "must be a text");
export const truth = such((value) => typeof value === "boolean", "must be true or false");
/** Neither infinite nor NaN, which JSON cannot say. */
export const number = such((value): value is number => Number.isFinite(value), "must be a number");
export const whole = such((value): value is number => Number.isSafeInteger(value), "must be a whole number");
export const anything: Field<unknown> = (value) => value;

/** A field that also keeps to another rule. */
export const checked =
  <T>(field: Field<T>, holds: (value: T) => boolean, rule: string): Field<T> =>
  (value, place) => {
    const kept = field(value, place);
    if (holds(kept)) return kept;
    throw new Fault(rule, value, [...place]);
  };

export const oneOf = <const Names extends readonly string[]>(names: Names): Field<Names[number]> =>
  such(
    (value): value is Names[number] => names.some((name) => name === value),
    `must be one of ${names.join(", ")}`,
  );

export const exactly = <const T extends string | number>(
  only: T,
  rule = `must be ${JSON.stringify(only)}`,
): Field<T> => such((value): value is T => value === only, rule);

/** The field, or null. */
export const maybe =
  <T>(field: Field<T>): Field<T | null> =>
  (value, place) =>
    value === null ? null : field(value, place);

/** The field, or nothing: it need not be there. */
export const optional =
  <T>(field: Field<T>): Field<T | undefined> =>
  (value, place) =>
    value === undefined ? undefined : field(value, place);

export const list =
  <T>(item: Field<T>): Field<T[]> =>
  (value, place) => {
    if (!Array.isArray(value)) throw new Fault("must be a list", value, [...place]);
    return Array.from(value, (one, index) => within(item, one, index, place));
  };

/** An object of these fields; what else is in it is left out. */
export const object =
  <Fields extends Record<string, Field<unknown>>>(
    fields: Fields,
  ): Field<{ [Name in keyof Fields]: Kept<Fields[Name]> }> =>
  (value, place) => {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new Fault("must be an object", value, [...place]);
    const kept: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(fields)) {
      const one = within(field, Reflect.get(value, name), name, place);
      if (one !== undefined) kept[name] = one;
    }
    return kept as { [Name in keyof Fields]: Kept<Fields[Name]> };
  };

function within<T>(field: Field<T>, value: unknown, step: string | number, place: Place): T {
  place.push(step);
  const kept = field(value, place);
  place.pop();
  return kept;
}

/** ["series", 0, "name"] → "series[0].name" */
const placeOf = (path: Place): string =>
  path.reduce<string>(
    (place, key) => (typeof key === "number" ? `${place}[${key}]` : place ? `${place}.${key}` : key),
    "",
  );

/** A value in few characters, whatever it is. */
export function shortJson(value: unknown): string {
  try {
    const json = JSON.stringify(value) ?? "nothing";
    return json.length > 40 ? `${json.slice(0, 39)}…` : json;
  } catch {
    return "what is no JSON";
  }
}

/**
 * Reads a value: what the field keeps of it, or a sentence about its first fault.
 * @param what opens the sentence: "the report"
 */
export function readFields<T>(what: string, field: Field<T>, value: unknown): { read: T } | string {
  try {
    return { read: field(value, []) };
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    const place = placeOf(fault.place);
    return `${place ? `${what}'s ${place}` : what} ${fault.message} (got ${shortJson(fault.value)})`;
  }
}

/** Reads one of several kinds of object, told apart by one field. */
export function readKind<T>(
  what: string,
  field: string,
  kinds: Readonly<Record<string, Field<T>>>,
  value: unknown,
): { read: T } | string {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return `${what} must be an object (got ${shortJson(value)})`;
  const kind: unknown = Reflect.get(value, field);
  if (typeof kind !== "string" || !Object.hasOwn(kinds, kind))
    return `${what}'s ${field} must be one of ${Object.keys(kinds).join(", ")} (got ${shortJson(kind)})`;
  return readFields(what, kinds[kind], value);
}
