import { crc32c } from "../crc32.ts";

/** Bytes before a record's content: its length as an int64, and the length's checksum. */
const HEAD = 12;

/** A record in TFRecord's framing: length, checksum of the length, content, checksum of the content. */
export function frame(content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEAD + content.length + 4);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(content, HEAD);
  view.setUint32(HEAD + content.length, maskedCrc32c(content), true);
  return bytes;
}

/**
 * The records of a file that were written whole, with their framing: reading ends at the first that is not, as the last
 * one of a program that was killed may be.
 */
export function wholeRecords(file: Uint8Array): { readonly content: Uint8Array; readonly framed: Uint8Array }[] {
  const records: { content: Uint8Array; framed: Uint8Array }[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let begin = 0; begin + HEAD <= file.length;) {
    if (view.getUint32(begin + 8, true) !== maskedCrc32c(file.subarray(begin, begin + 8))) break;
    const end = begin + HEAD + Number(view.getBigUint64(begin, true));
    if (end + 4 > file.length) break;
    const content = file.subarray(begin + HEAD, end);
    if (view.getUint32(end, true) !== maskedCrc32c(content)) break;
    records.push({ content, framed: file.subarray(begin, end + 4) });
    begin = end + 4;
  }
  return records;
}

/** The checksum as TFRecord stores it, changed so that a checksum of bytes with checksums in them is a good one. */
function maskedCrc32c(bytes: Uint8Array): number {
  const value = crc32c(bytes);
  return (value >>> 15 | value << 17) + 0xa282ead8 >>> 0;
}
