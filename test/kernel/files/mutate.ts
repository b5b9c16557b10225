import { type Random, seededRandom } from "../../../kernel/lib/pq/random";

/** Values that readers trip over: sizes, types, names that objects have by themselves, what is too deep. */
const awkward: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0,
  () => 1e308,
  () => 2 ** 53,
  () => 0.5,
  () => "",
  () => "__proto__",
  () => "constructor",
  () => "\u0000",
  () => "x".repeat(10_000),
  () => [],
  () => ({}),
  () => [[[]]],
  () => deep,
];

/** Stands for a list in a list in a list, deeper than can be cloned or written. */
const deep = "\u0001 deep";
const depth = 20_000;

const below = (random: Random, count: number): number => Math.floor(random() * count);
const oneOf = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)];

/** Bytes with one to four changes: bits turned, parts cut out, repeated, overwritten or moved. */
export function mutatedBytes(bytes: Uint8Array, seed: number): Buffer {
  const random = seededRandom(seed, "bytes");
  let made = Buffer.from(bytes);
  for (let changes = 1 + below(random, 4); changes > 0 && made.length > 0; changes--) {
    const at = below(random, made.length);
    const length = 1 + below(random, Math.min(64, made.length - at));
    const part = made.subarray(at, at + length);
    const [before, behind] = [made.subarray(0, at), made.subarray(at + length)];
    const change = below(random, 6);
    if (change === 0) made[at] ^= 1 << below(random, 8);
    else if (change === 1) made = Buffer.concat([before, behind]);
    else if (change === 2) made = Buffer.concat([before, part, part, behind]);
    else if (change === 3) made.fill(oneOf(random, [0, 0x7f, 0x80, 0xff]), at, at + length);
    else if (change === 4) made = Buffer.concat([behind, part, before]);
    else made = made.subarray(0, at);
  }
  return made;
}

/** The text of JSON with one or two changes: a value replaced by an awkward one or another of it, a field left out, renamed or repeated. */
export function mutatedJson(value: unknown, seed: number): string {
  const random = seededRandom(seed, "json");
  const root = { value: structuredClone(value) };
  for (let changes = 1 + below(random, 2); changes > 0; changes--) {
    const places = placesIn(root);
    if (places.length === 0) break; // all of it is left out
    const [holder, key] = oneOf(random, places);
    const change = below(random, 5);
    if (change < 2) Reflect.set(holder, key, oneOf(random, awkward)());
    else if (change === 2) {
      const [from, other] = oneOf(random, places);
      Reflect.set(holder, key, structuredClone(Reflect.get(from, other)));
    } else if (Array.isArray(holder)) {
      if (change === 3) holder.splice(Number(key), 1);
      else holder.push(structuredClone(holder[Number(key)]));
    } else {
      const kept: unknown = Reflect.get(holder, key);
      Reflect.deleteProperty(holder, key);
      if (change === 4) Reflect.set(holder, `${key}2`, kept);
    }
  }
  const text = JSON.stringify(root.value) ?? "";
  return text.replaceAll(JSON.stringify(deep), "[".repeat(depth) + "]".repeat(depth));
}

/** Every field and element, with what holds it; not into what is very deep. */
function placesIn(root: object): [object, string][] {
  const found: [object, string][] = [];
  const visit = (holder: object, depth: number) => {
    for (const key of Object.keys(holder)) {
      found.push([holder, key]);
      const inner: unknown = Reflect.get(holder, key);
      if (typeof inner === "object" && inner !== null && depth < 20) visit(inner, depth + 1);
    }
  };
  visit(root, 0);
  return found;
}
