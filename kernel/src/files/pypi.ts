import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { LutnnError } from "../errors";
import { quoted } from "./quoted";
import { PassingFault, passing, Silence, usualPatience } from "./request";

/** A file of a package as PyPI has it, wherever the user's pip finds it. */
export interface PypiFile {
  /** Of the package. */
  project: string;
  /** Of the file. */
  name: string;
  sha256: string;
}

const publicIndex = "https://pypi.org/simple";
/** What an index answers in: JSON (PEP 691), else the older page of links (PEP 503). */
const accepted = "application/vnd.pypi.simple.v1+json, text/html;q=0.1";
const listBytes = 2 ** 26;

/**
 * The index that pip is set up to use, by its files and environment; PyPI itself where nothing is said or no Python is there
 * to ask. Pip is asked as the checkout's own environment has it, else the system's.
 */
export async function pipIndex(signal: AbortSignal): Promise<string> {
  const own = join(
    __dirname,
    "../../../.venv",
    process.platform === "win32" ? "Scripts/python.exe" : "bin/python",
  );
  const python = existsSync(own) ? own : process.platform === "win32" ? "python" : "python3";
  try {
    const { stdout } = await promisify(execFile)(python, ["-m", "pip", "config", "list"], { signal });
    return indexOf(stdout);
  } catch {
    signal.throwIfAborted();
    return publicIndex;
  }
}

/** Of what `pip config list` prints the line that holds: the environment's over the files', `download`'s over the global. */
export function indexOf(settings: string): string {
  const found = new Map(
    [...settings.matchAll(/^(:env:|global|download)\.index-url='(.+)'\r?$/gm)].map(([, section, url]) => [
      section,
      url,
    ]),
  );
  const url = found.get("download") ?? found.get(":env:") ?? found.get("global") ?? publicIndex;
  return url.replace(/\/+$/, "");
}

/** An address and what asks for it: names and passwords that stand in an address go into a header. */
function withoutCredentials(url: URL): { url: string; headers: Record<string, string> } {
  const { username, password } = url;
  if (!username) return { url: url.href, headers: {} };
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  const pair = `${unquoted(username)}:${unquoted(password)}`;
  return { url: bare.href, headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` } };
}

/** A part of an address; as it stands where its percent signs mean nothing. */
function unquoted(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function addressOf(text: string, base?: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

/**
 * The address from which the user's index serves a file. Throws LutnnError where the index does not answer, is silent for
 * `silence` milliseconds, or has not that file with that checksum; the signal's reason when it is aborted.
 */
export async function pypiAddress(
  file: PypiFile,
  index: string,
  signal: AbortSignal,
  silence = usualPatience.silence,
): Promise<string> {
  const page = `${index}/${file.project.toLowerCase().replace(/[-_.]+/g, "-")}/`;
  const refuse = (why: string) =>
    new LutnnError(
      `pip's index: ${page.replace(/\/\/[^/@]*@/, "//")} must list ${file.name} (${why}); check pip's index-url, or get the file otherwise`,
    );
  const address = addressOf(page);
  if (!address) throw refuse("that is no address");
  const { url, headers } = withoutCredentials(address);
  const answer = await read(url, { ...headers, accept: accepted }, signal, silence).catch(
    (error: unknown) => {
      signal.throwIfAborted();
      throw refuse(passing(error).message);
    },
  );
  const links = answer.isJson ? linksOfJson(answer.text) : linksOfPage(answer.text);
  if (!links) throw refuse("it answers with no list");
  const found = links.find(({ name }) => name === file.name);
  if (!found) throw refuse(`it has ${links.length} other files`);
  if (found.sha256 && found.sha256 !== file.sha256)
    throw refuse(`what it has by that name has another checksum, ${quoted(found.sha256)}`);
  const target = found.url ? addressOf(found.url, answer.url || url) : null;
  if (!target) throw refuse(`it gives the address ${quoted(found.url)}, which is none`);
  return target.href;
}

/** An index's page, which may come in pieces but must come. */
async function read(url: string, headers: Record<string, string>, signal: AbortSignal, silence: number) {
  const patience = new Silence(silence);
  try {
    const ended = AbortSignal.any([signal, patience.signal]);
    const response = await fetch(url, { signal: ended, headers });
    if (!response.ok) throw new PassingFault(`it answers with status ${response.status}`);
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of response.body ?? []) {
      patience.heard();
      bytes += part.length;
      if (bytes > listBytes) throw new PassingFault(`it answers with more than ${listBytes} bytes`);
      parts.push(part);
    }
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return { text: Buffer.concat(parts).toString(), isJson, url: response.url };
  } finally {
    patience.end();
  }
}

interface Link {
  name: string;
  url: string;
  sha256?: string;
}

function linksOfJson(text: string): Link[] | null {
  try {
    const { files } = JSON.parse(text) as {
      files: { filename: string; url: string; hashes?: { sha256?: string } }[];
    };
    return files.map(({ filename, url, hashes }) => ({
      name: filename,
      url: typeof url === "string" ? url : "",
      sha256: hashes?.sha256,
    }));
  } catch {
    return null;
  }
}

/** In time that grows with the page alone, whatever stands in it. */
function linksOfPage(text: string): Link[] {
  return [...text.matchAll(/<a(\s[^<>]*)>([^<]+)<\/a>/gi)].flatMap(([, attributes, name]) => {
    const [url, fragment] = (/\shref="([^"]*)"/i.exec(attributes)?.[1] ?? "").split("#", 2);
    const sha256 = /^sha256=([0-9a-f]{64})/.exec(fragment ?? "")?.[1];
    return url ? [{ name: name.trim(), url: url.replaceAll("&amp;", "&"), sha256 }] : [];
  });
}
