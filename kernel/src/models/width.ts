import { LutnnError } from "../errors";

/** A network's width, the channels of its first stage. Throws LutnnError on another; `what` opens the sentence. */
export function checkedWidth(what: string, width: number): number {
  if (Number.isInteger(width) && width > 0) return width;
  throw new LutnnError(
    `${what}: width, the channels of the first stage, must be a positive integer (got ${width})`,
  );
}
