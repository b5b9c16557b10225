import { createHmac, timingSafeEqual } from "node:crypto";

/** Signatures that are remembered, so that a recorded message cannot be sent again; the oldest are forgotten first. */
const rememberedSignatures = 1 << 16;

export type Verdict = "ok" | "wrong signature" | "replayed signature";

/** Signs what the kernel sends and checks what it receives, with the key of the connection file. */
export class Signer {
  private readonly seen = new Set<string>();

  /** An empty key switches signing off, as the protocol says. */
  constructor(
    private readonly key: string,
    private readonly hash: string,
  ) {}

  /** Hexadecimal HMAC over header, parent header, metadata and content as they go over the wire. */
  sign(parts: readonly (string | Uint8Array)[]): string {
    if (this.key === "") return "";
    const hmac = createHmac(this.hash, this.key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }

  /** Compares in constant time and refuses a signature that was seen before. */
  verify(signature: Uint8Array, parts: readonly Uint8Array[]): Verdict {
    if (this.key === "") return "ok";
    const expected = this.sign(parts);
    const wanted = Buffer.from(expected, "latin1");
    if (signature.length !== wanted.length || !timingSafeEqual(signature, wanted)) return "wrong signature";
    if (this.seen.has(expected)) return "replayed signature";
    this.seen.add(expected);
    if (this.seen.size > rememberedSignatures)
      for (const oldest of this.seen) {
        this.seen.delete(oldest);
        break;
      }
    return "ok";
  }
}
