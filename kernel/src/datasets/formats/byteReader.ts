/** Takes bytes from a stream in the portions that a format asks for. */
export class ByteReader {
  private readonly parts: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array(0);
  /** Bytes that were taken. */
  taken = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.parts = source[Symbol.asyncIterator]();
  }

  /** The next bytes as they come, at least one and at most `most`; null at the end. */
  async some(most: number): Promise<Uint8Array | null> {
    while (this.rest.length === 0) {
      const { value, done } = await this.parts.next();
      if (done) return null;
      this.rest = value;
    }
    const part = this.rest.subarray(0, most);
    this.rest = this.rest.subarray(part.length);
    this.taken += part.length;
    return part;
  }

  /** The next `count` bytes, or null where there are fewer. */
  async exactly(count: number): Promise<Buffer | null> {
    const bytes = Buffer.alloc(count);
    for (let at = 0; at < count; ) {
      const part = await this.some(count - at);
      if (part === null) return null;
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** Closes the stream. */
  async end(): Promise<void> {
    await this.parts.return?.();
  }
}
