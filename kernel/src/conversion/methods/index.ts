import { LutnnError } from "../../errors";
import type { CalibrationMethod } from "../state";
import { kmeans } from "./kmeans";
import { leastSquares } from "./leastSquares";
import { maddness, maddnessFast } from "./maddness";
import type { Method } from "./method";

/** All methods; a new one is a file and a line here. */
export const methods: Readonly<Record<CalibrationMethod, Method>> = {
  kmeans,
  leastSquares,
  maddness,
  maddnessFast,
};

/** The method of that name. Throws LutnnError on another; `what` opens the sentence. */
export function methodOf(what: string, name: CalibrationMethod): Method {
  if (Object.hasOwn(methods, name)) return methods[name];
  const names = Object.keys(methods).map((one) => `"${one}"`);
  throw new LutnnError(`${what}: method must be ${names.join(" or ")} (got ${JSON.stringify(name)})`);
}
