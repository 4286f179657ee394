import { DeviceError } from "../../errors.ts";
import { PAGE } from "./wasm/load.ts";

/** Blocks start at multiples of a cache line, which SIMD loads like. */
const ALIGNMENT = 64;

/** Blocks from this size on are cut to measure. */
const LARGE = 2 ** 20;

/**
 * An allocator in a shared WebAssembly memory: blocks come in size classes, four to each power of two, and a freed
 * block waits for the next request of its class. A training step asks for the same sizes again and again, so none of
 * them is merged or moved. Large blocks are what fills the 4 GiB: they have the size that was asked for, and free
 * neighbours become one. The memory is shared because growing a shared memory leaves the views on it valid.
 */
export class Heap {
  readonly #free = new Map<number, number[]>();
  readonly #large = new LargeBlocks();
  #top = ALIGNMENT; // no block at 0, so that a zero pointer is a mistake

  constructor(readonly memory: WebAssembly.Memory) {}

  /** Byte offset of a block. @throws DeviceError if the 4 GiB of wasm32 are full */
  allocate(bytes: number): number {
    if (!(Number.isSafeInteger(bytes) && bytes >= 0)) throw new RangeError(`Cannot allocate ${bytes} bytes`);
    const size = sizeClass(bytes);
    const waiting = size >= LARGE ? this.#large.take(size) : this.#free.get(size)?.pop();
    if (waiting !== undefined) return waiting;
    // A large block begins with what is free at the end already.
    const begin = this.#top - (size >= LARGE ? this.#large.freeBefore(this.#top) : 0);
    const missing = begin + size - this.memory.buffer.byteLength;
    if (missing > 0) this.#grow(Math.ceil(missing / PAGE));
    if (begin < this.#top) this.#large.dropLast();
    this.#top = begin + size;
    return begin;
  }

  release(begin: number, bytes: number): void {
    const size = sizeClass(bytes);
    if (size >= LARGE) return this.#large.give(begin, size);
    const waiting = this.#free.get(size);
    if (waiting) waiting.push(begin);
    else this.#free.set(size, [begin]);
  }

  #grow(pages: number): void {
    try {
      this.memory.grow(pages);
    } catch {
      const used = Math.round(this.#top / 2 ** 20);
      throw new DeviceError(
        `Cannot allocate memory beyond ${used} MiB as the cpu backend addresses 4096 MiB at most: use a smaller batch ` +
          "(train.accumulate keeps the step's size) or fewer cores, or --backend webgpu",
      );
    }
  }
}

/** Free blocks by address, none next to another. */
class LargeBlocks {
  readonly #blocks: { begin: number; size: number }[] = [];

  /** The front of the smallest block that is large enough; `undefined` without one. */
  take(size: number): number | undefined {
    let best = -1;
    this.#blocks.forEach((block, index) => {
      if (block.size >= size && (best === -1 || block.size < this.#blocks[best].size)) best = index;
    });
    if (best === -1) return undefined;
    const block = this.#blocks[best];
    const { begin } = block;
    block.begin += size;
    block.size -= size;
    if (block.size === 0) this.#blocks.splice(best, 1);
    return begin;
  }

  /** The size of the block that ends at a place; 0 if there is none. */
  freeBefore(end: number): number {
    const last = this.#blocks.at(-1);
    return last !== undefined && last.begin + last.size === end ? last.size : 0;
  }

  dropLast(): void {
    this.#blocks.pop();
  }

  give(begin: number, size: number): void {
    const blocks = this.#blocks;
    const found = blocks.findIndex((block) => block.begin > begin);
    const place = found === -1 ? blocks.length : found;
    const [before, after] = [blocks[place - 1], blocks[place]];
    const meetsAfter = after !== undefined && begin + size === after.begin;
    if (before !== undefined && before.begin + before.size === begin) {
      before.size += size + (meetsAfter ? after.size : 0);
      if (meetsAfter) blocks.splice(place, 1);
    } else if (meetsAfter) {
      after.begin = begin;
      after.size += size;
    } else blocks.splice(place, 0, { begin, size });
  }
}

/**
 * The size of the class a request falls into: at most a quarter larger than asked, and just as large if it is large.
 */
function sizeClass(bytes: number): number {
  if (bytes >= LARGE) return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  if (bytes <= 4 * ALIGNMENT) return Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
  const quarter = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / quarter) * quarter;
}
