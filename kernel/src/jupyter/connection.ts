import { readFileSync } from "node:fs";
import { LutnnError } from "../errors";

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

/** Reads a Jupyter connection file. Throws LutnnError that names the field which is missing or wrong. */
export function readConnection(file: string): Connection {
  const json: Record<string, unknown> = JSON.parse(readFileSync(file, "utf8"));
  const wrong = (field: string, rule: string) =>
    new LutnnError(
      `connection file: ${field} must be ${rule} (got ${JSON.stringify(json[field])} in ${file})`,
    );
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
