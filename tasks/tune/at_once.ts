/**
 * Does pieces of work in their order, so many at once as there are workers.
 *
 * @param workers how many there are, asked before each piece; at least one is taken to be there
 * @param next the next piece; `null` if there is none now. What is under way may change that.
 */
export async function atOnce(workers: () => number, next: () => (() => Promise<void>) | null): Promise<void> {
  const underWay = new Set<Promise<void>>();
  while (true) {
    while (underWay.size < Math.max(1, workers())) {
      const begin = next();
      if (begin === null) break;
      const work = begin();
      underWay.add(work);
      const end = () => void underWay.delete(work);
      // Where one fails the others are not waited for, and theirs is no failure of the program.
      work.then(end, end);
    }
    if (underWay.size === 0) return;
    await Promise.race(underWay);
  }
}

/**
 * Seconds that some runs take by several workers, from what they take one after the other: of three runs by two workers
 * the third waits for the first.
 *
 * @param busy how many workers are at other runs of that length
 */
export function shared(seconds: number, runs: number, workers: number, busy = 0): number {
  return seconds / runs * Math.ceil((runs + busy) / Math.max(1, workers));
}
