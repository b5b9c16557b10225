// Calls of every function with one to three arguments, or properties of them, spoiled: each must be refused with a
// TypeError or a RangeError and leave all memory as it was, or be carried out.
import { below, oneOf, randomFrom } from "./random.mjs";
import { FromGetter, isOverlaid, spoiled } from "./spoil.mjs";

const isPlain = (value) =>
  typeof value === "object" &&
  value !== null &&
  !ArrayBuffer.isView(value) &&
  !(value instanceof ArrayBuffer);

/** Every argument and every property of one, with what holds it; what is inside comes first. */
function placesIn(holder) {
  return Object.keys(holder).flatMap((key) => [
    ...(isPlain(holder[key]) ? placesIn(holder[key]) : []),
    [holder, key],
  ]);
}

/** One to three of them, in their order. */
function somePlaces(places, random) {
  const chosen = new Set(Array.from({ length: 1 + below(random, 3) }, () => below(random, places.length)));
  return places.filter((_, i) => chosen.has(i));
}

/** Some space on both sides of an array, which nobody may write to. */
const margin = 64;
function withMargins(value) {
  if (ArrayBuffer.isView(value)) {
    const memory = new ArrayBuffer(value.byteLength + 2 * margin);
    new Uint8Array(memory).fill(0xa5);
    const made = new value.constructor(memory, margin, value.length);
    made.set(value);
    return made;
  }
  if (Array.isArray(value)) return value.map(withMargins);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withMargins(inner)]));
}

function viewsIn(value) {
  if (ArrayBuffer.isView(value)) return [value];
  return isPlain(value) ? Object.values(value).flatMap(viewsIn) : [];
}

const whole = (view) => Buffer.from(view.buffer);
const copied = (views) => views.map((view) => Buffer.from(whole(view)));
/** Whether a view's whole memory, or with `inside` false its margins alone, is as it was. */
function isAsBefore(view, before, inside) {
  if (view.buffer.byteLength === 0) return true; // a getter has transferred it
  const now = whole(view);
  if (inside) return now.equals(before);
  if (isOverlaid(view)) return true; // another argument lies there, and is written to
  const end = view.byteOffset + view.byteLength;
  return (
    now.subarray(0, margin).equals(before.subarray(0, margin)) &&
    now.subarray(end).equals(before.subarray(end))
  );
}

const isRefusal = (error, asks) =>
  error instanceof FromGetter ||
  error instanceof TypeError ||
  error instanceof RangeError ||
  // What a host says of a file or a library is no matter of arguments; it is an Error of one sentence all the same.
  (asks && error instanceof Error && error.constructor === Error && error.message.length > 0);

/** @returns {Promise<{ refused: boolean, error?: unknown }>} */
async function outcomeOf(callable, args, self) {
  try {
    await callable.call(args, self);
    return { refused: false };
  } catch (error) {
    return { refused: true, error };
  }
}

/**
 * One bad call. Throws where it was neither refused as it must be nor carried out, or wrote where it must not.
 * @returns {Promise<boolean>} whether it was refused
 */
export async function badCall(callable, seed) {
  const random = randomFrom(seed);
  const args = withMargins(callable.valid());
  const views = viewsIn(args);
  const before = copied(views);
  const self = random() < 0.05 ? oneOf(random, [null, {}, 5, Object.create(null), () => 1]) : undefined;
  for (const [holder, key] of somePlaces(placesIn(args), random))
    holder[key] = spoiled(holder[key], random, views);
  const lengthens = random();
  if (lengthens < 0.1) args.length = below(random, args.length + 1);
  else if (lengthens < 0.2) args.push(oneOf(random, [undefined, null, {}, 7]));
  const { refused, error } = await outcomeOf(callable, args, self);
  if (refused && !isRefusal(error, callable.asks))
    throw new Error(`${callable.name}, seed ${seed}: ${error?.stack ?? String(error)}`);
  for (const [i, view] of views.entries())
    if (!isAsBefore(view, before[i], refused))
      throw new Error(
        `${callable.name}, seed ${seed}: memory of array ${i} was written to (${error ?? "carried out"})`,
      );
  return refused;
}

/** A right call after all those, which must do what it did before them. */
export async function rightCall(callable) {
  const args = callable.valid();
  await callable.call(args);
  return Buffer.concat((callable.written ?? []).map((place) => whole(args[place]))).toString("hex");
}

/** Of a function without arguments there is little to spoil. */
const mostWithoutArguments = 5;

/**
 * So many bad calls of each function, with a right one before and after.
 * @param {import("./calls.mjs").Callable[]} calls
 * @returns {Promise<{ tried: number, refused: number }>}
 */
export async function badCalls(calls, each, firstSeed) {
  let [tried, refused] = [0, 0];
  for (const callable of calls) {
    const before = await rightCall(callable);
    const count = callable.valid().length > 0 ? each : Math.min(each, mostWithoutArguments);
    for (let i = 0; i < count; i++) if (await badCall(callable, firstSeed + i)) refused++;
    tried += count;
    if ((await rightCall(callable)) !== before) throw new Error(`${callable.name}: gives something else now`);
  }
  return { tried, refused };
}
