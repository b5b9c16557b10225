import { LutnnError } from "../../errors";

const [lineFeed, carriageReturn] = [10, 13];

/**
 * The rows of a tab-separated file, found by their ends and read one at a time, so that no more than the bytes is held. Rows
 * end in LF or CR LF, the last perhaps in neither; quotation marks mean nothing. `file` opens errors.
 */
export class TsvRows {
  /** Where each row begins, and behind the last one. */
  private readonly starts: number[] = [0];

  constructor(
    private readonly bytes: Buffer,
    private readonly file: string,
  ) {
    for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1))
      this.starts.push(at + 1);
    if (this.starts[this.starts.length - 1] < bytes.length) this.starts.push(bytes.length);
  }

  get count(): number {
    return this.starts.length - 1;
  }

  /** The columns of a row, counted from 0. Throws LutnnError where it is not UTF-8. */
  columns(row: number): string[] {
    let end = this.starts[row + 1];
    if (this.bytes[end - 1] === lineFeed) end--;
    if (this.bytes[end - 1] === carriageReturn) end--;
    const bytes = this.bytes.subarray(this.starts[row], end);
    const text = bytes.toString("utf8");
    if (text.includes("\uFFFD") && !Buffer.from(text).equals(bytes))
      throw this.fault(row, "be UTF-8", "other bytes");
    return text.split("\t");
  }

  /** An error about a row: what it must, and what it is. */
  fault(row: number, rule: string, got: string): LutnnError {
    return new LutnnError(`${this.file}: line ${row + 1} must ${rule} (got ${got}); get the file again`);
  }
}
