// Frames on the socket ↔ messages: [identities…, <IDS|MSG>, signature, header, parent, metadata, content, buffers…].
import { randomUUID } from "node:crypto";
import { type Header, type JsonObject, protocolVersion, type Request } from "../link";
import type { Signer } from "./signature";

const delimiter = Buffer.from("<IDS|MSG>");

/** A message of the kernel's own; header fields are added when it is encoded. */
export interface Outgoing {
  /** Routing prefix, or the topic on iopub. */
  identities: readonly (Uint8Array | string)[];
  type: string;
  /** JSON of the header of the request that caused it; "{}" for none. */
  parent: string;
  /** JSON. */
  content: string;
  metadata?: string;
  buffers?: readonly Uint8Array[];
}

export function encode(message: Outgoing, session: string, signer: Signer): (Uint8Array | string)[] {
  const header = JSON.stringify({
    msg_id: randomUUID(),
    msg_type: message.type,
    session,
    username: "kernel",
    date: new Date().toISOString(),
    version: protocolVersion,
  });
  const parts = [header, message.parent, message.metadata ?? "{}", message.content];
  return [...message.identities, delimiter, signer.sign(parts), ...parts, ...(message.buffers ?? [])];
}

/** Who asked for what, of a message whose header can be read. */
export type Asker = Pick<Request, "header" | "headerJson" | "identities">;

/** A message that is none: why, and who waits for an answer to it, where that is known and the signature right. */
export interface Refused {
  rule: string;
  asker: Asker | null;
}

/** The request in the frames, or why there is none. */
export function decode(
  channel: Request["channel"],
  frames: readonly Buffer[],
  signer: Signer,
): Request | Refused {
  const refused = (rule: string, asker: Asker | null = null): Refused => ({ rule, asker });
  const start = frames.findIndex((frame) => frame.equals(delimiter));
  if (start < 0) return refused("the frame <IDS|MSG> is missing");
  const [signature, ...rest] = frames.slice(start + 1);
  if (signature === undefined || rest.length < 4)
    return refused(`${rest.length} of 4 frames came after the signature`);
  const parts = rest.slice(0, 4);
  const verdict = signer.verify(signature, parts);
  if (verdict !== "ok") return refused(verdict);
  const [header, , metadata, content] = parts.map(parseObject);
  if (!header) return refused("a frame is not a JSON object");
  if (!isHeader(header)) return refused("the header lacks msg_id, msg_type or session");
  const asker = { identities: frames.slice(0, start), header, headerJson: parts[0].toString() };
  if (!metadata || !content) return refused("a frame is not a JSON object", asker);
  return { channel, ...asker, metadata, content, buffers: rest.slice(4) };
}

function parseObject(frame: Buffer): JsonObject | null {
  try {
    const value: unknown = JSON.parse(frame.toString());
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : null;
  } catch {
    return null;
  }
}

const isHeader = (header: JsonObject): header is Header =>
  typeof header.msg_id === "string" &&
  typeof header.msg_type === "string" &&
  typeof header.session === "string";
