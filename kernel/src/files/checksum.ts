import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { LutnnError } from "../errors";

/** What is published of a file's content. */
export interface Checksums {
  /** Its length. */
  bytes: number;
  /** Lower-case hexadecimal; the stronger one decides where both are there. */
  sha256?: string;
  md5?: string;
}

/** The published checksum and its kind; null where there is none. */
export function publishedChecksum({
  sha256,
  md5,
}: Checksums): { kind: "sha256" | "md5"; value: string } | null {
  if (sha256) return { kind: "sha256", value: sha256 };
  return md5 ? { kind: "md5", value: md5 } : null;
}

/** Takes a file's bytes as they come and says at the end whether they are those that were published. */
export class Verifier {
  received = 0;
  private readonly checksum;
  private readonly hash;

  constructor(private readonly wanted: Checksums) {
    this.checksum = publishedChecksum(wanted);
    this.hash = this.checksum ? createHash(this.checksum.kind) : null;
  }

  add(part: Uint8Array): void {
    this.received += part.length;
    this.hash?.update(part);
  }

  /** Adds what a file already holds. */
  async addFile(path: string, signal: AbortSignal): Promise<void> {
    for await (const part of createReadStream(path, { signal, highWaterMark: 1 << 20 })) this.add(part);
  }

  /** What is wrong with the bytes, for a sentence; null when they are as published. To be asked once. */
  fault(): string | null {
    const { bytes } = this.wanted;
    const found = this.hash?.digest("hex");
    if (this.received === bytes && found === this.checksum?.value) return null;
    const rule = this.checksum ? ` and ${this.checksum.kind} ${this.checksum.value}` : "";
    return `must have ${bytes} bytes${rule} (got ${this.received}${found ? ` and ${found}` : ""})`;
  }
}

/** Throws LutnnError where a file is not as published; `name` opens the sentence, `remedy` ends it. */
export async function checkFile(
  path: string,
  name: string,
  wanted: Checksums,
  signal: AbortSignal,
  remedy: string,
): Promise<void> {
  const verifier = new Verifier(wanted);
  await verifier.addFile(path, signal);
  const fault = verifier.fault();
  if (fault) throw new LutnnError(`${name}: the file ${fault}; ${remedy}`);
}
