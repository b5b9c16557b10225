import type { DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** What a kind of message holds others in, by the number of the field. */
const kinds = new Map<DescMessage, ReadonlyMap<number, DescMessage>>();

function messagesIn(desc: DescMessage): ReadonlyMap<number, DescMessage> {
  const known = kinds.get(desc);
  if (known) return known;
  const made = new Map(
    desc.fields.flatMap((field) => (field.message ? [[field.number, field.message] as const] : [])),
  );
  kinds.set(desc, made);
  return made;
}

/**
 * How many messages an encoded one holds, itself among them: two bytes of a file may be one, which takes some hundred bytes when it is
 * decoded. Does not look further when there are more than `most`. Throws where the bytes are none.
 */
export function countMessages(bytes: Uint8Array, desc: DescMessage, most: number): number {
  const reader = new BinaryReader(bytes);
  /** The messages that lie around the present place: where they end, and what they hold. */
  const around = [{ end: bytes.length, inside: messagesIn(desc) }];
  let count = 1;
  while (around.length > 0 && count <= most) {
    const { end, inside } = around[around.length - 1];
    if (reader.pos >= end) {
      around.pop();
      continue;
    }
    const [number, wire] = reader.tag();
    const part = wire === WireType.LengthDelimited ? inside.get(number) : undefined;
    if (part) {
      count++;
      const length = reader.uint32();
      around.push({ end: reader.pos + length, inside: messagesIn(part) });
    } else reader.skip(wire, number);
  }
  return count;
}
