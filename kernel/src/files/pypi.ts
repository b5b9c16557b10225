import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { LutnnError } from "../errors";
import { quoted } from "./quoted";

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
function withoutCredentials(address: string): { url: string; headers: Record<string, string> } {
  const url = new URL(address);
  const { username, password } = url;
  if (!username) return { url: address, headers: {} };
  url.username = "";
  url.password = "";
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url: url.href, headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` } };
}

/**
 * The address from which the user's index serves a file. Throws LutnnError where the index does not answer, or has not that
 * file with that checksum; the signal's reason when it is aborted.
 */
export async function pypiAddress(file: PypiFile, index: string, signal: AbortSignal): Promise<string> {
  const page = `${index}/${file.project.toLowerCase().replace(/[-_.]+/g, "-")}/`;
  const refuse = (why: string) =>
    new LutnnError(
      `pip's index: ${page.replace(/\/\/[^/@]*@/, "//")} must list ${file.name} (${why}); check pip's index-url, or get the file otherwise`,
    );
  const { url, headers } = withoutCredentials(page);
  const response = await fetch(url, { signal, headers: { ...headers, accept: accepted } }).catch(
    (error: Error & { cause?: Error }) => {
      signal.throwIfAborted();
      throw refuse(error.cause?.message ?? error.message);
    },
  );
  if (!response.ok) throw refuse(`it answers with status ${response.status}`);
  const text = await response.text();
  if (text.length > listBytes) throw refuse(`it answers with ${text.length} characters`);
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  const links = isJson ? linksOfJson(text) : linksOfPage(text);
  if (!links) throw refuse("it answers with no list");
  const found = links.find(({ name }) => name === file.name);
  if (!found) throw refuse(`it has ${links.length} other files`);
  if (found.sha256 && found.sha256 !== file.sha256)
    throw refuse(`what it has by that name has another checksum, ${quoted(found.sha256)}`);
  return new URL(found.url, response.url || url).href;
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
    return files.map(({ filename, url, hashes }) => ({ name: filename, url, sha256: hashes?.sha256 }));
  } catch {
    return null;
  }
}

function linksOfPage(text: string): Link[] {
  return [
    ...text.matchAll(/<a\s[^>]*href="([^"#]+)(?:#sha256=([0-9a-f]{64}))?[^"]*"[^>]*>([^<]+)<\/a>/gi),
  ].map(([, url, sha256, name]) => ({ name: name.trim(), url: url.replaceAll("&amp;", "&"), sha256 }));
}
