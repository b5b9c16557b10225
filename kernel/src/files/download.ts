import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { LutnnError } from "../errors";
import { abandonedBeside, claimAside, releaseAside } from "./aside";
import { type Checksums, publishedChecksum, Verifier } from "./checksum";
import { fileError } from "./fileError";
import { makeFolder } from "./makeFolder";
import { PassingFault, type Patience, passing, request, Silence, usualPatience } from "./request";

/** A file that can be had from a server, as it is published. */
export interface RemoteFile extends Checksums {
  /** http or https. */
  url: string;
}

export interface DownloadOptions {
  signal: AbortSignal;
  /** Called with the bytes that are there so far. */
  onReceived?: (bytes: number) => void;
  patience?: Partial<Patience>;
}

/**
 * Fetches a file and puts it at `path` once its length and checksum are those that were published; until then it stands
 * beside it under another name. A broken connection is taken up again where it broke, and so is what an earlier process
 * left unfinished, where a checksum tells whether the parts belong together.
 *
 * Throws LutnnError where the server does not answer, is silent for too long, sends something else, or the disk fails;
 * the signal's reason when it is aborted.
 */
export async function downloadFile(
  file: RemoteFile,
  path: string,
  { signal, onReceived, patience }: DownloadOptions,
): Promise<void> {
  signal.throwIfAborted();
  let aside: string | undefined;
  try {
    await makeFolder(dirname(path));
    aside = await asideWithRest(file, path);
    const download = new Download(file, path, aside, signal, onReceived, { ...usualPatience, ...patience });
    await download.run();
    await rename(aside, path);
  } catch (error) {
    if (aside && !(await isWorthKeeping(file, aside, error)))
      await rm(aside, { force: true }).catch(() => undefined); // the first error says more
    throw fileError("download", path, error);
  } finally {
    if (aside) releaseAside(aside);
  }
}

/** A path of this process, with what an earlier one had received where there is something. */
async function asideWithRest(file: RemoteFile, path: string): Promise<string> {
  const aside = claimAside(path);
  for (const left of await abandonedBeside(path)) {
    const isTaken = publishedChecksum(file) && !(await stat(aside).catch(() => null));
    if (isTaken)
      await rename(left, aside).catch(() => undefined); // another process was faster
    else await rm(left, { force: true, recursive: true });
  }
  return aside;
}

/** What arrived is right as far as anybody knows, and a checksum will tell. */
async function isWorthKeeping(file: RemoteFile, aside: string, error: unknown): Promise<boolean> {
  if (error instanceof WrongContent || !publishedChecksum(file)) return false;
  const found = await stat(aside).catch(() => null);
  return found !== null && found.size > 0;
}

class WrongContent extends LutnnError {}

class Download {
  private verifier: Verifier;
  private readonly name: string;
  /** Bytes that an earlier process received, which may be of another version. */
  private before = 0;

  constructor(
    private readonly file: RemoteFile,
    path: string,
    private readonly aside: string,
    private readonly signal: AbortSignal,
    private readonly onReceived: ((bytes: number) => void) | undefined,
    private readonly patience: Patience,
  ) {
    this.name = basename(path);
    this.verifier = new Verifier(file);
  }

  async run(): Promise<void> {
    const output = await open(this.aside, "a+");
    try {
      await this.takeUp(output);
      await this.receiveAll(output);
      let fault = this.verifier.fault();
      if (fault && this.before > 0) {
        await this.startAnew(output);
        await this.receiveAll(output);
        fault = this.verifier.fault();
      }
      if (fault) throw new WrongContent(`download: ${this.name} ${fault}; nothing was kept, try again`);
      await output.sync();
    } finally {
      await output.close();
    }
  }

  private async takeUp(output: FileHandle): Promise<void> {
    const { size } = await output.stat();
    if (size > this.file.bytes) return this.startAnew(output);
    if (size > 0) await this.verifier.addFile(this.aside, this.signal);
    this.before = size;
  }

  private async startAnew(output: FileHandle): Promise<void> {
    await output.truncate(0);
    this.verifier = new Verifier(this.file);
    this.before = 0;
  }

  private async receiveAll(output: FileHandle): Promise<void> {
    const { attempts, pause } = this.patience;
    for (let fruitless = 0; this.verifier.received < this.file.bytes; ) {
      const before = this.verifier.received;
      try {
        await this.receive(output);
      } catch (error) {
        this.signal.throwIfAborted();
        if (!(error instanceof PassingFault)) throw error;
        fruitless = this.verifier.received > before ? 0 : fruitless + 1;
        if (fruitless >= attempts)
          throw new LutnnError(
            `download: ${this.file.url} must send the file (${error.message}); try again or get the file otherwise`,
          );
        await wait(pause * 2 ** Math.max(0, fruitless - 1), undefined, { signal: this.signal });
        if (!publishedChecksum(this.file)) await this.startAnew(output);
      }
    }
  }

  /** One request, from the first byte that is missing on. */
  private async receive(output: FileHandle): Promise<void> {
    const silence = new Silence(this.patience.silence);
    const signal = AbortSignal.any([this.signal, silence.signal]);
    const from = this.verifier.received;
    try {
      // Unpacked on the way it would be another file.
      const headers = { "accept-encoding": "identity", ...(from > 0 ? { range: `bytes=${from}-` } : {}) };
      const response = await request(this.file.url, headers, signal);
      await this.checkAnswer(response, output);
      for await (const part of response.body!) {
        silence.heard();
        if (this.verifier.received + part.length > this.file.bytes)
          throw new WrongContent(
            `download: ${this.name} must have ${this.file.bytes} bytes (the server sends more); nothing was kept, try again`,
          );
        await output.appendFile(part);
        this.verifier.add(part);
        this.onReceived?.(this.verifier.received);
        silence.heard(); // the disk may be slow
      }
    } catch (error) {
      this.signal.throwIfAborted();
      if (silence.signal.aborted) throw silence.signal.reason;
      if (error instanceof LutnnError || (error as NodeJS.ErrnoException).syscall) throw error;
      throw passing(error);
    } finally {
      silence.end();
    }
    if (this.verifier.received < this.file.bytes)
      throw new PassingFault(`it ended after ${this.verifier.received} of ${this.file.bytes} bytes`);
  }

  /** Whether the answer is the file, or the part that was asked for; begins anew where it is the whole file. */
  private async checkAnswer(response: Response, output: FileHandle): Promise<void> {
    const { status, body } = response;
    const from = this.verifier.received;
    if (status === 408 || status === 429 || status >= 500) throw new PassingFault(`got status ${status}`);
    if (status === 206 && from > 0) {
      const range = response.headers.get("content-range") ?? "";
      const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? [];
      if (total !== "*") this.checkLength(total);
      if (body && Number(first) === from) return;
      throw new PassingFault(
        `it sent the part ${JSON.stringify(range.slice(0, 80))} instead of that from byte ${from} on`,
      );
    }
    if (from > 0 && (status === 200 || status === 416)) {
      await this.startAnew(output);
      if (status === 200 && body) return this.checkLength(response.headers.get("content-length"));
      throw new PassingFault(`got status ${status}`);
    }
    if (status !== 200 || !body)
      throw new LutnnError(
        `download: ${this.file.url} must answer with the file (got status ${status}); get the file otherwise`,
      );
    this.checkLength(response.headers.get("content-length"));
  }

  /** Of the whole file, as the server says. */
  private checkLength(length: string | null | undefined): void {
    if (length && Number(length) !== this.file.bytes)
      throw new WrongContent(
        `download: ${this.name} must have ${this.file.bytes} bytes (the server has ${length}); get the file otherwise`,
      );
  }
}
