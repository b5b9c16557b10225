import { LutnnError } from "../../errors";
import { kmeans } from "./kmeans";
import { leastSquares } from "./leastSquares";
import { maddness, maddnessFast } from "./maddness";
import type { Method } from "./method";
import { randomRows } from "./randomRows";

/** All methods by their names: a new one is a file beside this and a line here. */
export const methods = {
  kmeans,
  leastSquares,
  maddness,
  maddnessFast,
  randomRows,
} satisfies Record<string, Method>;

/** A way in which a lookup can be learnt. */
export type CalibrationMethod = keyof typeof methods;

export const methodNames = Object.keys(methods) as CalibrationMethod[];

/** The method of that name. Throws LutnnError on another; `what` opens the sentence. */
export function methodOf(what: string, name: CalibrationMethod): Method {
  if (Object.hasOwn(methods, name)) return methods[name];
  const names = methodNames.map((one) => `"${one}"`);
  throw new LutnnError(`${what}: method must be ${names.join(" or ")} (got ${JSON.stringify(name)})`);
}
