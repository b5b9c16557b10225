import { type InspectOptions, inspect, types } from "node:util";

/** Characters of a text that is shown; what is longer is cut, with a remark. */
export const longestText = 1 << 20;
/** Entries (elements, properties) that an object may have over all levels before fewer levels are shown. */
const mostEntries = 20_000;
/** Properties of one object that are shown where it has more than {@link mostEntries}. */
const mostProperties = 100;
/** Elements of an array, Map or Set that `inspect` shows. */
const mostElements = 100;
const usualDepth = 2;

/**
 * The text of any value, as `util.inspect` gives it: never throws, whatever the value's own methods do, and neither
 * its length nor the time for it grows with the size of the value.
 */
export function inspectValue(value: unknown, options: InspectOptions = {}): string {
  const depth = options.depth === undefined ? usualDepth : options.depth;
  const shown = attempt(() => withinBudget(value, depth), { value, depth, left: 0 });
  const ways: InspectOptions[] = [
    { ...options, depth: shown.depth },
    { ...options, depth: shown.depth, customInspect: false },
    { ...options, depth: 0, customInspect: false, showHidden: false },
  ];
  for (const way of ways) {
    const text = attempt<string | null>(() => inspect(shown.value, way), null);
    if (text !== null) return cutText(shown.left > 0 ? `${text} … ${shown.left} more properties` : text);
  }
  return types.isNativeError(value) ? "[an error that cannot be shown]" : "[a value that cannot be shown]";
}

/** What `work` returns, or `otherwise` where it throws: code of the user's may. */
export function attempt<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/** The text, cut after {@link longestText} characters, or fewer if told so. */
export function cutText(text: string, longest = longestText): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest)}… ${text.length - longest} more characters`;
}

interface Shown {
  value: unknown;
  depth: number;
  /** Properties that are left out. */
  left: number;
}

/** As many levels as have few entries; of an object with very many properties, the first ones. */
function withinBudget(value: unknown, wanted: number | null): Shown {
  const most = wanted ?? Number.POSITIVE_INFINITY;
  let level: unknown[] = [value];
  let entries = 0;
  for (let depth = 0; depth <= most && level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const each of level) {
      entries += addEntries(each, next);
      if (entries <= mostEntries) continue;
      return depth > 0 ? { value, depth: depth - 1, left: 0 } : firstProperties(value);
    }
    level = next;
  }
  return { value, depth: most, left: 0 };
}

/** Adds what an object contains, without running its getters or a proxy's traps; @returns how many entries it has. */
function addEntries(value: unknown, entries: unknown[]): number {
  if (typeof value === "string") return Math.min(value.length, 10_000) / 100;
  if ((typeof value !== "object" && typeof value !== "function") || value === null || types.isProxy(value))
    return 0;
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return mostElements;
  if (types.isMap(value) || types.isSet(value)) {
    let count = 0;
    for (const [key, element] of value.entries()) {
      if (count++ >= mostElements) break;
      entries.push(key, element);
    }
    return count;
  }
  if (Array.isArray(value)) {
    const shown = Math.min(value.length, mostElements);
    for (let index = 0; index < shown; index++) entries.push(ownValue(value, index));
    return shown;
  }
  let count = 0;
  for (const key in value) {
    if (++count > mostEntries) break;
    entries.push(ownValue(value, key));
  }
  return count;
}

const ownValue = (object: object, key: string | number): unknown =>
  Object.getOwnPropertyDescriptor(object, key)?.value;

/** An object of the same kind with the first of the properties. */
function firstProperties(value: unknown): Shown {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { value, depth: 0, left: 0 };
  const keys = Object.keys(value);
  const part: object = Object.create(Object.getPrototypeOf(value));
  for (const key of keys.slice(0, mostProperties)) {
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property) Object.defineProperty(part, key, property);
  }
  return { value: part, depth: 0, left: Math.max(0, keys.length - mostProperties) };
}
