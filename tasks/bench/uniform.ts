/**
 * Reproducible numbers that any language can make alike: MurmurHash3's finaliser over a counter.
 *
 * @param seed one seed gives one stream
 * @param count how many
 * @param bound the largest magnitude
 * @returns numbers spread evenly over [-bound, bound)
 */
export function uniform(seed: number, count: number, bound = 1): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  const start = Math.imul(seed, 0x9e3779b9);
  for (let i = 0; i < count; i++) {
    let h = (start + i) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    out[i] = (((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1) * bound;
  }
  return out;
}
