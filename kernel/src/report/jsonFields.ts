// Fields of JSON that comes from elsewhere, each with the words that say what is wrong with it. Imports zod's small form
// alone: the extension loads this file too.
import * as z from "zod/mini";

export const text = z.string("must be a text");
export const number = z.number("must be a number");
export const truth = z.boolean("must be true or false");

export const object = <Shape extends z.core.$ZodShape>(shape: Shape) => z.object(shape, "must be an object");
export const list = <Item extends z.ZodMiniType>(item: Item) => z.array(item, "must be a list");
export const oneOf = <const Names extends readonly string[]>(names: Names) =>
  z.enum(names, `must be one of ${names.join(", ")}`);

/** ["series", 0, "name"] → "series[0].name" */
const placeOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (place, key) =>
      typeof key === "number" ? `${place}[${key}]` : place ? `${place}.${String(key)}` : String(key),
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
 * Reads a value: what the schema keeps of it, or a sentence about its first fault.
 * @param what opens the sentence: "the report"
 */
export function readFields<T>(what: string, schema: z.ZodMiniType<T>, value: unknown): { read: T } | string {
  const read = schema.safeParse(value);
  if (read.success) return { read: read.data };
  const [{ path, message }] = read.error.issues;
  const found = path.reduce<unknown>((whole, key) => Reflect.get(Object(whole), key), value);
  const place = placeOf(path);
  return `${place ? `${what}'s ${place}` : what} ${message} (got ${shortJson(found)})`;
}

/** Reads one of several kinds of object, told apart by one field. */
export function readKind<T>(
  what: string,
  field: string,
  kinds: Readonly<Record<string, z.ZodMiniType<T>>>,
  value: unknown,
): { read: T } | string {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return `${what} must be an object (got ${shortJson(value)})`;
  const kind: unknown = Reflect.get(value, field);
  if (typeof kind !== "string" || !Object.hasOwn(kinds, kind))
    return `${what}'s ${field} must be one of ${Object.keys(kinds).join(", ")} (got ${shortJson(kind)})`;
  return readFields(what, kinds[kind], value);
}
