import { pipeline, type Readable, type Transform } from "node:stream";

/**
 * What a transform makes of a stream. An error of either ends both and is thrown to whoever reads the result, then or
 * later; when nobody does any more, it is none.
 */
export function piped(input: Readable, transform: Transform): Readable {
  transform.on("error", () => undefined);
  return pipeline(input, transform, () => undefined);
}
