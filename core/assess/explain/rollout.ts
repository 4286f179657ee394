/** Attention probabilities of one layer for a batch, `[batch, heads, length, length]`, row-major. */
export interface AttentionNumbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * Attention rollout (Abnar and Zuidema 2020, arXiv 2005.00928): how much of each token comes into a token of the last
 * layer, where every layer mixes tokens by the mean of its heads' attention and leaves half to the residual sum,
 * A = (mean + I) / 2, and the layers' matrices are multiplied. The rows are shares: they add up to 1.
 *
 * @param layers from the first to the last
 * @param token whose row is wanted: 0 for the class token, which the head reads
 * @returns of each example the shares of the tokens
 */
export function attentionRollout(layers: readonly AttentionNumbers[], token = 0): Float64Array[] {
  if (layers.length === 0) throw new RangeError("Cannot roll attention out of no layers");
  const [examples, heads, length] = layers[0].shape;
  return Array.from({ length: examples }, (_, example) => {
    // The row is multiplied from the last layer to the first, which takes no products of matrices.
    let row = Float64Array.from({ length }, (_, place) => place === token ? 1 : 0);
    for (const { data } of layers.toReversed()) {
      const next = row.map((share) => share / 2);
      for (let head = 0; head < heads; head++) {
        const begin = (example * heads + head) * length * length;
        for (let from = 0; from < length; from++) {
          const share = row[from] / (2 * heads);
          if (share === 0) continue;
          for (let to = 0; to < length; to++) next[to] += share * data[begin + from * length + to];
        }
      }
      row = next;
    }
    return row;
  });
}
