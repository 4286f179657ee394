const PAGE = 65536;
/** Blocks start at multiples of a cache line, which SIMD loads like. */
const ALIGNMENT = 64;

/**
 * An allocator in a shared WebAssembly memory: blocks come in size classes, four to each power of two, and a freed block
 * waits for the next request of its class. A training step asks for the same sizes again and again, so nothing is ever
 * merged or moved. The memory is shared because growing a shared memory leaves the views on it valid.
 */
export class Heap {
  readonly #free = new Map<number, number[]>();
  #top = ALIGNMENT; // no block at 0, so that a zero pointer is a mistake

  constructor(readonly memory: WebAssembly.Memory) {}

  /** Byte offset of a block. @throws RangeError when the 4 GiB of wasm32 are used up */
  allocate(bytes: number): number {
    const size = sizeClass(bytes);
    const waiting = this.#free.get(size)?.pop();
    if (waiting !== undefined) return waiting;
    const begin = this.#top;
    const missing = begin + size - this.memory.buffer.byteLength;
    if (missing > 0) this.#grow(Math.ceil(missing / PAGE));
    this.#top = begin + size;
    return begin;
  }

  release(begin: number, bytes: number): void {
    const size = sizeClass(bytes);
    const waiting = this.#free.get(size);
    if (waiting) waiting.push(begin);
    else this.#free.set(size, [begin]);
  }

  #grow(pages: number): void {
    try {
      this.memory.grow(pages);
    } catch {
      const used = Math.round(this.#top / 2 ** 20);
      throw new RangeError(`Cannot allocate memory beyond ${used} MiB: the cpu backend addresses 4096 MiB at most`);
    }
  }
}

/** The size of the class a request falls into: at most a quarter larger than asked. */
function sizeClass(bytes: number): number {
  if (bytes <= 4 * ALIGNMENT) return Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
  const quarter = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / quarter) * quarter;
}
