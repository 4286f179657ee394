/** What each byte does to the checksum: the remainder of Castagnoli's polynomial, the lowest bit first. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? value >>> 1 ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C (RFC 3720, appendix B.4) of some bytes. */
export function crc32c(bytes: Uint8Array): number {
  let value = ~0;
  for (const byte of bytes) value = value >>> 8 ^ TABLE[(value ^ byte) & 0xff];
  return ~value >>> 0;
}

/** The checksum as TFRecord stores it, changed so that a checksum of bytes with checksums in them is a good one. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const value = crc32c(bytes);
  return (value >>> 15 | value << 17) + 0xa282ead8 >>> 0;
}
