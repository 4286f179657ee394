import type { Images } from "../../core/data/images.ts";

/**
 * A number for each image of some lists, the same for images that are equal byte for byte, in whatever list they stand.
 *
 * @param lists of images of one size, each image at its place
 * @returns the numbers of each list, in its order
 */
export function equalImages(lists: readonly Images[]): Uint32Array[] {
  // By a hash first, as the pixels of a large set take too much memory to be keys; equal hashes alone say nothing.
  const byHash = new Map<number, { readonly bytes: Uint8Array; readonly number: number }[]>();
  let different = 0;
  return lists.map(({ pixels, count, height, width, channels }) => {
    const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    const size = height * width * channels * pixels.BYTES_PER_ELEMENT;
    return Uint32Array.from({ length: count }, (_, index) => {
      const own = bytes.subarray(index * size, (index + 1) * size);
      const hash = hashOf(own);
      const alike = byHash.get(hash) ?? [];
      const before = alike.find((other) => areEqual(own, other.bytes));
      if (before) return before.number;
      alike.push({ bytes: own, number: different });
      byHash.set(hash, alike);
      return different++;
    });
  });
}

/** FNV-1a of 32 bits (Fowler, Noll and Vo). */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
  return hash;
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
