/** Every path of tags of a length. */
export function allPaths(length: number, tags: number): number[][] {
  if (length === 0) return [[]];
  return allPaths(length - 1, tags).flatMap((path) => Array.from({ length: tags }, (_, tag) => [...path, tag]));
}

/** What a linear chain's log Z and marginals are by definition: sums over all paths. */
export interface Enumerated {
  readonly logPartition: number;
  /** `[length, tags]` */
  readonly marginals: Float64Array;
  /** `[tags, tags]`: the expected number of times that one tag follows another. */
  readonly pairs: Float64Array;
  /** Each path's probability. */
  readonly probabilities: readonly { readonly path: readonly number[]; readonly p: number }[];
}

/** Sums over all paths of a chain without a mask, in doubles. */
export function enumerate(
  emissions: ArrayLike<number>,
  transitions: ArrayLike<number>,
  length: number,
  tags: number,
): Enumerated {
  const weighted = allPaths(length, tags).map((path) => {
    let score = 0;
    path.forEach((tag, t) => {
      score += emissions[t * tags + tag];
      if (t > 0) score += transitions[path[t - 1] * tags + tag];
    });
    return { path, weight: Math.exp(score) };
  });
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  const probabilities = weighted.map(({ path, weight }) => ({ path, p: weight / total }));
  const marginals = new Float64Array(length * tags);
  const pairs = new Float64Array(tags * tags);
  for (const { path, p } of probabilities) {
    path.forEach((tag, t) => {
      marginals[t * tags + tag] += p;
      if (t > 0) pairs[path[t - 1] * tags + tag] += p;
    });
  }
  return { logPartition: Math.log(total), marginals, pairs, probabilities };
}
