import { readFileSync, statSync } from "node:fs";
import { LutnnError } from "../errors";
import { log } from "./log";

/** Where Jupyter wants the kernel to listen, and the key that signs every message. */
export interface Connection {
  transport: "tcp" | "ipc";
  ip: string;
  shellPort: number;
  controlPort: number;
  iopubPort: number;
  stdinPort: number;
  heartbeatPort: number;
  /** Empty: messages are not signed. */
  key: string;
  /** Node's name of the hash, for example sha256. */
  hash: string;
}

/**
 * Reads a Jupyter connection file. Throws LutnnError that names the field which is missing or wrong; logs a sentence
 * when others may read the key in it.
 */
export function readConnection(file: string): Connection {
  const json = readObject(file);
  const wrong = (field: string, rule: string) => {
    // Whatever stands there as the key may be one, and this is logged.
    const got = field === "key" ? `a value of type ${typeof json[field]}` : JSON.stringify(json[field]);
    return new LutnnError(`connection file: ${field} must be ${rule} (got ${got} in ${file})`);
  };
  const port = (field: string) => {
    const value = json[field];
    if (typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65536) return value;
    throw wrong(field, "a port number");
  };
  const text = (field: string, preset: string) => {
    const value = json[field] ?? preset;
    if (typeof value === "string") return value;
    throw wrong(field, "a string");
  };
  const transport = text("transport", "tcp");
  if (transport !== "tcp" && transport !== "ipc") throw wrong("transport", '"tcp" or "ipc"');
  const scheme = text("signature_scheme", "hmac-sha256");
  if (!scheme.startsWith("hmac-")) throw wrong("signature_scheme", '"hmac-" and the name of a hash');
  warnOfReaders(file);
  return {
    transport,
    ip: text("ip", "127.0.0.1"),
    shellPort: port("shell_port"),
    controlPort: port("control_port"),
    iopubPort: port("iopub_port"),
    stdinPort: port("stdin_port"),
    heartbeatPort: port("hb_port"),
    key: text("key", ""),
    hash: scheme.slice("hmac-".length),
  };
}

function readObject(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new LutnnError(
      `connection file: it must be a readable file (got ${file}: ${error instanceof Error ? error.message : error}); start the kernel through Jupyter, which writes one`,
    );
  }
  const json = parsed(text);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return { ...json };
  throw new LutnnError(
    `connection file: it must hold a JSON object (${file} does not); Jupyter writes such a file`,
  );
}

/** Undefined for what is no JSON: the parser's own words quote the text, and the key with it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whoever has the key can run code as this user. */
function warnOfReaders(file: string): void {
  const readers = process.platform === "win32" ? 0 : statSync(file).mode & 0o077;
  if (readers === 0) return;
  const mode = (statSync(file).mode & 0o777).toString(8);
  log(
    `the connection file must be readable by its owner alone (its mode is ${mode}: ${file}), since its key lets others run code here; chmod 600 it, and keep Jupyter's runtime folder private`,
  );
}
