import { createHash } from "node:crypto";

/** Many names in little memory: their bytes one behind the other. */
export class NameTable {
  private readonly bytes: Buffer;
  private readonly ends: Uint32Array;

  constructor(names: readonly string[]) {
    this.bytes = Buffer.from(names.join(""));
    this.ends = new Uint32Array(names.length);
    let end = 0;
    names.forEach((name, i) => {
      end += Buffer.byteLength(name);
      this.ends[i] = end;
    });
  }

  get size(): number {
    return this.ends.length;
  }

  /** Stands for all names and their order. */
  digest(): string {
    return createHash("sha256").update(this.bytes).update(this.ends).digest("hex");
  }

  at(index: number): string {
    return this.bytes.toString("utf8", index > 0 ? this.ends[index - 1] : 0, this.ends[index]);
  }
}
