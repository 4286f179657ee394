/** A need of memory from the first to the last of a list of calls that touch it, both included. */
export interface Need {
  /** How many numbers. */
  readonly length: number;
  readonly first: number;
  readonly last: number;
}

/** The block of memory that each need gets. */
export interface MemoryPlan {
  /** The block of each need. */
  readonly places: readonly number[];
  /** The length of each block: those that were there, and new ones behind them. */
  readonly blocks: readonly number[];
}

/**
 * Lets needs whose times do not overlap share blocks: the largest need chooses first and takes the smallest block that
 * is long enough and free at its time, or a new one of its own length ("greedy by size" for shared objects: Pisarchyk
 * and Lee, Efficient Memory Management for Deep Neural Net Inference, arXiv 2001.03288). Blocks are not divided, as
 * WebGPU lets no dispatch read and write parts of one buffer.
 *
 * @param needs what is needed when
 * @param existing lengths of blocks that are there already
 */
export function planMemory(needs: readonly Need[], existing: readonly number[] = []): MemoryPlan {
  const blocks = existing.map((length) => ({ length, tenants: [] as Need[] }));
  const places = new Array<number>(needs.length);
  const order = needs.map((_, index) => index).sort((a, b) => needs[b].length - needs[a].length || a - b);
  for (const index of order) {
    const need = needs[index];
    let best = -1;
    blocks.forEach(({ length, tenants }, place) => {
      if (length < need.length || (best !== -1 && length >= blocks[best].length)) return;
      if (tenants.every(({ first, last }) => last < need.first || need.last < first)) best = place;
    });
    if (best === -1) best = blocks.push({ length: need.length, tenants: [] }) - 1;
    blocks[best].tenants.push(need);
    places[index] = best;
  }
  return { places, blocks: blocks.map(({ length }) => length) };
}
