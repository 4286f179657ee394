const GOLDEN_RATIO = 0x9e3779b9;
const TWO_TO_32 = 2 ** 32;
/** "text" in ASCII: any constant would do. */
const TEXT_LABEL = 0x74657874;

/**
 * A seeded random generator: xoshiro128** 1.1 (Blackman and Vigna), whose state is filled from the seed by splitmix32.
 * Equal seeds give equal numbers on every machine. It is not for secrets.
 *
 * @example
 * ```ts
 * const random = new Random(42);
 * const initialiser = random.split("initialise"); // unaffected by what else draws from `random`
 * const weight = initialiser.normal() * 0.02;
 * ```
 */
export class Random {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /**
   * Starts the sequence of a seed.
   *
   * @param seed a whole number from 0 to 2^32 - 1
   * @throws RangeError if the seed is anything else
   */
  constructor(seed: number) {
    if (!isUint32(seed)) throw new RangeError(`Cannot seed with ${seed}: a whole number from 0 to 2^32 - 1 is needed`);
    this.#seed = seed;
    // The four words of splitmix32 are pairwise different, so that they cannot all be zero.
    this.#a = mix(seed + GOLDEN_RATIO);
    this.#b = mix(seed + 2 * GOLDEN_RATIO);
    this.#c = mix(seed + 3 * GOLDEN_RATIO);
    this.#d = mix(seed + 4 * GOLDEN_RATIO);
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** A number from 0 up to but not 1, a multiple of 2^-32. */
  uniform(): number {
    return this.uint32() / TWO_TO_32;
  }

  /**
   * A whole number from 0 up to but not `limit`, each equally likely.
   *
   * @param limit a whole number from 1 to 2^32
   * @throws RangeError if the limit is anything else
   */
  below(limit: number): number {
    if (!isUint32(limit - 1)) {
      throw new RangeError(`Cannot draw a number below ${limit}: a whole number from 1 to 2^32 is needed`);
    }
    // The first 2^32 mod limit values are drawn again: what remains is a multiple of the limit and has no bias.
    const excess = TWO_TO_32 % limit;
    let value = this.uint32();
    while (value < excess) value = this.uint32();
    return value % limit;
  }

  /**
   * A number of the standard normal distribution (mean 0, deviation 1). It always takes two draws and keeps none of
   * the second value that Box and Muller's transform could give, so that what comes next depends on how much was drawn
   * and not on as what.
   */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /**
   * Shuffles in place, each order equally likely (Fisher and Yates).
   *
   * @returns the same array
   */
  shuffle<Values extends unknown[] | Uint32Array>(values: Values): Values {
    for (let last = values.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const value = values[last];
      values[last] = values[other];
      values[other] = value;
    }
    return values;
  }

  /**
   * An independent generator for one purpose. It depends on this one's seed and on the label only, not on how many
   * numbers were drawn, so that a new consumer of random numbers does not change what the others get.
   *
   * @param label a name, or a whole number from 0 to 2^32 - 1 where there are many: an epoch, an example's index
   * @throws RangeError if the label is another number
   */
  split(label: string | number): Random {
    return new Random(typeof label === "string" ? hashText(this.#seed, label) : hashNumber(this.#seed, label));
  }
}

function isUint32(value: number): boolean {
  return value >>> 0 === value;
}

/** The finaliser of splitmix32: every bit of the input changes about half of the bits of the output, one to one. */
function mix(value: number): number {
  value ^= value >>> 16;
  value = Math.imul(value, 0x21f0aaad);
  value ^= value >>> 15;
  value = Math.imul(value, 0x735a2d97);
  return (value ^ (value >>> 15)) >>> 0;
}

function hashNumber(seed: number, label: number): number {
  if (!isUint32(label)) throw new RangeError(`Cannot split by ${label}: a whole number from 0 to 2^32 - 1 is needed`);
  return mix(mix(seed + GOLDEN_RATIO) + label);
}

function hashText(seed: number, label: string): number {
  const bytes = new TextEncoder().encode(label);
  // Begun apart from numbers, or "a" would be the stream of 1 and then 97: its length and its letter.
  let hash = mix((seed ^ TEXT_LABEL) + bytes.length);
  for (const byte of bytes) hash = hashNumber(hash, byte);
  return hash;
}
