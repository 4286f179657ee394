/** Milliseconds between two lines. */
const PAUSE = 5000;

/**
 * Tells how far something that takes long has come, a line every five seconds.
 *
 * @param what it is: `PGD of runs/quickstart`
 * @param of how many there are to do
 * @returns is called with how many are done
 */
export function progressOf(tell: (line: string) => void, what: string, of: number): (done: number) => void {
  let last = performance.now();
  return (done) => {
    if (performance.now() - last < PAUSE) return;
    last = performance.now();
    tell(`${what}: ${Math.floor(100 * done / of)} %`);
  };
}
