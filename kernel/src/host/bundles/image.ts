import type { MimeBundle } from "../host";

const startsWith = (bytes: Uint8Array, start: readonly number[]) =>
  start.every((byte, at) => bytes[at] === byte);
const ascii = (text: string) => [...Buffer.from(text, "latin1")];

const signatures: [mime: string, start: number[]][] = [
  ["image/png", [0x89, ...ascii("PNG\r\n\u001a\n")]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", ascii("GIF8")],
  ["application/pdf", ascii("%PDF-")],
];

/** The bytes of a PNG, JPEG, GIF, WebP, SVG or PDF file as that picture; null for other bytes. */
export function imageBundle(bytes: Uint8Array): MimeBundle | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mime = signatures.find(([, start]) => startsWith(bytes, start))?.[0] ?? webpMime(buffer);
  if (mime) return { [mime]: buffer.toString("base64"), "text/plain": `${mime}, ${bytes.length} bytes` };
  if (
    !/^\s*(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/.test(
      buffer.toString("utf8", 0, 2048),
    )
  )
    return null;
  return { "image/svg+xml": buffer.toString("utf8"), "text/plain": `image/svg+xml, ${bytes.length} bytes` };
}

const webpMime = (buffer: Buffer) =>
  buffer.toString("latin1", 0, 4) === "RIFF" && buffer.toString("latin1", 8, 12) === "WEBP"
    ? "image/webp"
    : null;
