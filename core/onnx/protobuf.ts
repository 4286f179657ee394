import { joined } from "../joined.ts";

/** A field of a message of a protocol buffer. */
export interface Field {
  /** Which of the message's fields it is. */
  readonly number: number;
  /** A whole number, exact up to 2^53; 0 for what is none. */
  readonly value: number;
  /** The content of a string, a message or a packed list; `null` for numbers. */
  readonly bytes: Uint8Array | null;
}

/** A message that ends too early or has what no message has. */
export class DamagedMessage extends Error {
  static {
    this.prototype.name = "DamagedMessage";
  }
}

const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

/** Seven bits a byte. */
const MOST_VARINT_BYTES = 10;

/**
 * The fields of a message in their order. Nothing is copied.
 *
 * @throws DamagedMessage
 */
export function* fieldsOf(message: Uint8Array): Generator<Field, void, void> {
  let at = 0;
  const varint = (): number => {
    let [value, factor] = [0, 1];
    for (let count = 0; count < MOST_VARINT_BYTES && at < message.length; count++) {
      const byte = message[at++];
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    throw new DamagedMessage("a number has no end");
  };
  const take = (length: number): Uint8Array => {
    if (length > message.length - at) throw new DamagedMessage("it ends within a part of it");
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = varint();
    const [number, kind] = [Math.floor(tag / 8), tag % 8];
    if (number === 0) throw new DamagedMessage("it has a field of the number 0");
    if (kind === VARINT) yield { number, value: varint(), bytes: null };
    else if (kind === BYTES) yield { number, value: 0, bytes: take(varint()) };
    else if (kind === FIXED64 || kind === FIXED32) {
      take(kind === FIXED64 ? 8 : 4);
      yield { number, value: 0, bytes: null };
    } else throw new DamagedMessage(`it has a field of the unknown kind ${kind}`);
  }
}

/** A field that holds a message or a string. */
export function field(number: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined([Uint8Array.from([...varintOf(number * 8 + BYTES), ...varintOf(content.length)]), content]);
}

function varintOf(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push(value % 0x80 + 0x80);
  return [...bytes, value];
}
