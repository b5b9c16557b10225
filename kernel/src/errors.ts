/**
 * Every error that this library raises on purpose. The message is one sentence in this order: what failed, the rule,
 * the value received, the remedy; for example
 * `encode: input length must be a multiple of subvectorLength (got 577 and 9); pad the input or choose another V`.
 */
export class LutnnError extends Error {
  override readonly name = "LutnnError";
}
