/**
 * A checksum of 32 bits by a polynomial.
 *
 * @param polynomial its lowest bit first
 */
function checksumBy(polynomial: number): (bytes: ArrayLike<number>) => number {
  /** What each byte does to the checksum: the polynomial's remainder. */
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? value >>> 1 ^ polynomial : value >>> 1;
    return value;
  });
  return (bytes) => {
    let value = ~0;
    for (let at = 0; at < bytes.length; at++) value = value >>> 8 ^ table[(value ^ bytes[at]) & 0xff];
    return ~value >>> 0;
  };
}

/** CRC-32 of some bytes (ISO 3309), as PNG has it. */
export const crc32: (bytes: ArrayLike<number>) => number = checksumBy(0xedb88320);

/** CRC-32C of some bytes (RFC 3720, appendix B.4), by Castagnoli's polynomial. */
export const crc32c: (bytes: ArrayLike<number>) => number = checksumBy(0x82f63b78);
