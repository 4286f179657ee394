import assert from "node:assert/strict";
import { type CompiledKernels, compileKernels, type WasmKernels } from "../../../../../core/backend/cpu/wasm/load.ts";

/** Bytes between two regions. Not a multiple of 16, so that the regions are aligned in every way that is allowed. */
const GUARD = 20;

/** A region of an {@link Arena}. */
export interface Region {
  pointer: number;
  values: Float32Array;
}

/**
 * Memory for one call of a kernel. Regions are handed out from the end of the memory downwards, the first one flush with
 * the end, so that reading past it traps; all the rest is NaN, so that a result shows when it was read, and
 * `assertUntouched` shows when it was written.
 */
export class Arena {
  readonly #words: Uint32Array;
  readonly #free: Uint8Array;
  #end: number;

  constructor(readonly kernels: WasmKernels) {
    const { buffer } = kernels.memory;
    this.#words = new Uint32Array(buffer).fill(NAN);
    this.#free = new Uint8Array(this.#words.length).fill(1);
    this.#end = buffer.byteLength + GUARD;
  }

  /** Takes a region of so many floats, as they are or set to `values`. */
  take(length: number, values?: ArrayLike<number>): Region {
    const pointer = this.#end - GUARD - length * 4;
    assert(pointer >= GUARD, `An arena of ${this.#words.length * 4} bytes is too small`);
    this.#end = pointer;
    this.#free.fill(0, pointer / 4, pointer / 4 + length);
    const region = new Float32Array(this.kernels.memory.buffer, pointer, length);
    if (values) region.set(values);
    return { pointer, values: region };
  }

  assertUntouched(): void {
    for (let i = 0; i < this.#words.length; i++) {
      if (this.#free[i] && this.#words[i] !== NAN) assert.fail(`Byte ${i * 4} outside all regions was written`);
    }
  }
}

/** A NaN that no arithmetic makes. */
const NAN = 0x7fc0beef;

/** Random numbers in [-1, 1) from a seed (a 32-bit xorshift), so that a failing case fails again. */
export function random(length: number, seed: number): Float32Array {
  let state = seed * 2654435761 | 1;
  return Float32Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  });
}

/** A result in float64 with the sums of the absolute values of its terms, which bound the error of a float32 one. */
export interface Reference {
  sum: Float64Array;
  magnitude: Float64Array;
}

/**
 * Holds a float32 result against the reference. A sum of n products, in any order, is off by at most
 * n / (1 - n u) * u times the sum of their absolute values, u = 2^-24 (Higham, Accuracy and Stability, section 3.1).
 */
export function assertClose(actual: Float32Array, expected: Reference, terms: number, label: string): void {
  const bound = (terms + 1) * 2 ** -24 * 1.001;
  assert.equal(actual.length, expected.sum.length);
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs(actual[i] - expected.sum[i]);
    // Not `error > limit`, which a NaN passes.
    if (!(error <= bound * expected.magnitude[i])) {
      assert.fail(`${label}: element ${i} is ${actual[i]} instead of ${expected.sum[i]}`);
    }
  }
}

/** Both binaries, by name, each compiled once. */
export const BINARIES: [name: string, compiled: CompiledKernels][] = [
  ["relaxed SIMD", compileKernels(true)],
  ["plain SIMD", compileKernels(false)],
];
