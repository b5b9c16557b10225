import { readSync } from "node:fs";

export type StreamName = "stdout" | "stderr";

/** Bytes. */
const pieceSize = 1 << 16;
/** Each thread reads one pipe after the other. */
const buffer = Buffer.alloc(pieceSize);

export interface Piece {
  /** Bytes; 0 where nothing has been written since. */
  size: number;
  text: string;
}

/** Bytes: what a pipe holds at most. What is found beyond them has been written since. */
const capacity = 1 << 20;

/** Reads what has been written so far: whoever writes may do so faster than it is read, for ever. */
export function readSoFar(read: () => number): void {
  for (let sum = 0, size = -1; size !== 0 && sum < capacity; sum += size) size = read();
}

/** An end of a pipe from which text is read without waiting. */
export class PipeEnd {
  /** Nothing comes any more: nobody has it open for writing. */
  hasEnded = false;
  private readonly decoder = new TextDecoder();

  constructor(
    readonly name: StreamName,
    readonly descriptor: number,
  ) {}

  read(most = pieceSize): Piece {
    if (this.hasEnded) return { size: 0, text: "" };
    let size = 0;
    try {
      size = readSync(this.descriptor, buffer, 0, most, null);
      this.hasEnded = size === 0;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Otherwise a cell has closed it.
      this.hasEnded = code !== "EAGAIN" && code !== "EINTR";
    }
    return { size, text: this.decoder.decode(buffer.subarray(0, size), { stream: !this.hasEnded }) };
  }
}
