import { LutnnError } from "../errors";

/** An image's shape as a network for images takes it. Throws LutnnError on another; `what` opens the sentence. */
export function imageShape(
  what: string,
  shape: readonly number[],
): [height: number, width: number, channels: number] {
  const [height, width, channels] = shape;
  if (shape.length === 3 && shape.every((length) => Number.isInteger(length) && length > 0))
    return [height, width, channels];
  throw new LutnnError(
    `${what}: inputShape must be [height, width, channels] (got ${JSON.stringify(shape)}); this network is for images`,
  );
}
