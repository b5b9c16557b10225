import type { Output } from "./output";

/** Sends what is written to process.stdout and process.stderr (and so by console) to the client. */
export function captureStreams(output: Output): void {
  for (const name of ["stdout", "stderr"] as const) {
    const decoder = new TextDecoder();
    // The three ways to call write: (chunk), (chunk, done) and (chunk, encoding, done).
    const write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      output.stream(name, typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
      const done = rest.at(-1);
      if (typeof done === "function") process.nextTick(done);
      return true;
    };
    process[name].write = write as typeof process.stdout.write;
  }
}
