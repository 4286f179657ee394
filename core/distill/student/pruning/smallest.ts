/** Half of a number's bits tell so many apart. */
const HALF = 2 ** 16;

/**
 * Which of some numbers are the smallest, of equal ones the first. It takes time in proportion to their number.
 *
 * @param values NaN counts as the largest
 * @param count how many, from 0 to all
 * @returns 1 for each of them, else 0
 */
export function smallest(values: Float32Array, count: number): Uint8Array {
  const keys = orderedBits(values);
  const [high, before] = bucket(counted(keys, (key) => key >>> 16), count);
  const [low, below] = bucket(counted(keys, (key) => key >>> 16 === high ? key & (HALF - 1) : null), count - before);
  const threshold = high * HALF + low;
  let equal = count - before - below;
  return Uint8Array.from(keys, (key) => key < threshold || key === threshold && equal-- > 0 ? 1 : 0);
}

/** Floats as whole numbers in the same order. */
function orderedBits(values: Float32Array): Uint32Array {
  const keys = new Uint32Array(values.slice().buffer);
  for (let i = 0; i < keys.length; i++) {
    const size = keys[i] & 0x7fffffff;
    const isNegative = keys[i] > 0x80000000; // the zero below zero is none
    keys[i] = size > 0x7f800000 ? 0xffffffff : isNegative ? ~keys[i] : size + 0x80000000;
  }
  return keys;
}

function counted(keys: Uint32Array, of: (key: number) => number | null): Uint32Array {
  const counts = new Uint32Array(HALF);
  for (const key of keys) {
    const place = of(key);
    if (place !== null) counts[place]++;
  }
  return counts;
}

/** The bucket in which the `count`-th number is, and how many are in those before it. */
function bucket(counts: Uint32Array, count: number): [bucket: number, before: number] {
  let before = 0;
  for (let place = 0; place < HALF; place++) {
    if (before + counts[place] >= count) return [place, before];
    before += counts[place];
  }
  throw new RangeError(`Cannot find the ${count} smallest of ${before} numbers`);
}
