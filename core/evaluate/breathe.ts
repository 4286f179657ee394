/** Milliseconds after which the event loop gets its turn. */
const TURN = 50;

let last = 0;

/**
 * Lets signals and timers through now and then: a training step on the cpu never waits for anything, and without this a
 * Ctrl-C would be noticed at the end of the run only.
 */
export async function breathe(): Promise<void> {
  if (performance.now() - last < TURN) return;
  await new Promise((resolve) => setTimeout(resolve, 0));
  last = performance.now();
}
