import { batchesOf } from "../../evaluate/batches.ts";
import type { Examples } from "../../plugin/dataset.ts";

/**
 * Which tokens have a label, of which alone losses take their means.
 *
 * @param tokens how many each example has; `null` where there are no texts
 * @param begin the first example
 * @param end the one behind the last
 * @returns 1 for each token with a label and 0 for another, the examples' one after another without padding; `null`
 * where examples and not tokens have labels
 */
export async function scoredTokens(
  examples: Examples,
  tokens: Uint32Array | null,
  batchSize: number,
  begin: number,
  end: number,
): Promise<Uint8Array | null> {
  if (!tokens) return null;
  const own = tokens.subarray(begin, end);
  const scored = new Uint8Array(own.reduce((sum, count) => sum + count, 0));
  const order = Uint32Array.from(own, (_, at) => begin + at);
  let place = 0;
  for (const indices of batchesOf(order, batchSize)) {
    await examples.fetch?.(indices);
    const { label } = examples.batch(indices);
    if (label?.shape.length !== 2) return null;
    const [, length] = label.shape;
    indices.forEach((example, row) => {
      for (let token = 0; token < tokens[example]; token++) {
        scored[place++] = Number(label.data[row * length + token] >= 0);
      }
    });
  }
  return scored;
}
