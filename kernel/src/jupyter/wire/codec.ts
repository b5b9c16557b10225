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

/** The request in the frames, or a sentence that says why there is none. */
export function decode(
  channel: Request["channel"],
  frames: readonly Buffer[],
  signer: Signer,
): Request | string {
  const start = frames.findIndex((frame) => frame.equals(delimiter));
  if (start < 0) return "the frame <IDS|MSG> is missing";
  const [signature, ...rest] = frames.slice(start + 1);
  if (signature === undefined || rest.length < 4)
    return `${rest.length} of 4 frames came after the signature`;
  const parts = rest.slice(0, 4);
  const verdict = signer.verify(signature, parts);
  if (verdict !== "ok") return verdict;
  const [header, , metadata, content] = parts.map(parseObject);
  if (!header || !metadata || !content) return "a frame is not a JSON object";
  if (!isHeader(header)) return "the header lacks msg_id, msg_type or session";
  return {
    channel,
    identities: frames.slice(0, start),
    header,
    headerJson: parts[0].toString(),
    metadata,
    content,
    buffers: rest.slice(4),
  };
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
