import { LutnnError } from "../errors";

/** How long a server may take, and how often it is asked again. */
export interface Patience {
  /** Milliseconds without a byte before an attempt is given up. */
  silence: number;
  /** Attempts in a row that bring no further byte. */
  attempts: number;
  /** Milliseconds before the first of them is repeated; each later pause is twice as long. */
  pause: number;
}

export const usualPatience: Patience = { silence: 30_000, attempts: 5, pause: 1000 };

/** Something that may pass: a connection that broke, a server that is busy. */
export class PassingFault extends Error {}

const mostRedirects = 5;

/** Ends an attempt on which nothing has come for a while. */
export class Silence {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly milliseconds: number) {
    this.heard();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.controller.abort(new PassingFault(`it sent nothing for ${this.milliseconds / 1000} s`));
    }, this.milliseconds);
  }

  /** The attempt is over: whatever of it is still open is closed. */
  end(): void {
    clearTimeout(this.timer);
    this.controller.abort();
  }
}

/**
 * A server's answer, after at most five redirects, all to http or https and never from https to http. Throws
 * {@link PassingFault} on what may pass, LutnnError on an address or redirect that is refused, the signal's reason when
 * it is aborted.
 */
export async function request(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  let address = checkedAddress(url, url);
  for (let redirects = 0; ; redirects++) {
    const response = await fetch(address, { redirect: "manual", signal, headers }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw passing(error);
    });
    const next = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || next === null) return response;
    await response.body?.cancel().catch(() => undefined);
    if (redirects === mostRedirects)
      throw new LutnnError(
        `download: ${url} must lead to the file in ${mostRedirects} redirects (it goes on to ${JSON.stringify(next.slice(0, 200))}); get the file otherwise`,
      );
    const from = address;
    address = checkedAddress(url, next, from);
    if (from.protocol === "https:" && address.protocol !== "https:")
      throw new LutnnError(
        `download: ${url} must not lead from https to http (it leads to ${address.href.slice(0, 200)}); get the file otherwise`,
      );
  }
}

function checkedAddress(url: string, text: string, base?: URL): URL {
  let address: URL | null = null;
  try {
    address = new URL(text, base);
  } catch {
    // said below
  }
  if (address?.protocol === "http:" || address?.protocol === "https:") return address;
  const got = base ? `it leads to ${JSON.stringify(text.slice(0, 200))}` : "it is none";
  throw new LutnnError(
    `download: ${url} must be an address of http or https (${got}); get the file otherwise`,
  );
}

/** What fetch throws, with its cause, as something that may pass. */
export function passing(error: unknown): PassingFault {
  if (error instanceof PassingFault) return error;
  const { message, cause } = error as Error & { cause?: Error };
  return new PassingFault(cause instanceof Error && cause.message ? cause.message : message);
}
