import type { ScoredPairs } from "../plugin/dataset.ts";
import { pearson, spearman } from "./metrics/correlation.ts";

/** Vectors of examples, one after the other. */
type Vectors = ArrayLike<number>;

/** The cosine of the angle between two rows; 0 if one of them is all zeros. */
function cosine(a: Vectors, row: number, b: Vectors, other: number, width: number): number {
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let place = 0; place < width; place++) {
    const [x, y] = [a[row * width + place], b[other * width + place]];
    product += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  const scale = Math.sqrt(squaresA) * Math.sqrt(squaresB);
  return scale === 0 ? 0 : product / scale;
}

/**
 * Correlations of the cosines of pairs of vectors with the scores that people gave them.
 *
 * @param vectors `[count, width]`, row-major
 */
export function pairMetrics(vectors: Vectors, count: number, { first, second, scores }: ScoredPairs) {
  const width = vectors.length / count;
  const cosines = Array.from(first, (row, pair) => cosine(vectors, row, vectors, second[pair], width));
  return { spearman: spearman(cosines, scores), pearson: pearson(cosines, scores) };
}

/**
 * How far two models agree about vectors of the same examples: the mean cosine of the one's with the other's. Vectors
 * of two widths have no angle; of these it is Pearson's correlation of the cosines that the one and the other have
 * between each example and the next.
 *
 * @param own `[count, width]`, row-major
 * @param taught `[count, another width]`
 */
export function vectorAgreement(own: Vectors, taught: Vectors, count: number): number {
  if (own.length === taught.length) {
    const width = own.length / count;
    let sum = 0;
    for (let row = 0; row < count; row++) sum += cosine(own, row, taught, row, width);
    return sum / count;
  }
  const neighbours = (vectors: Vectors) =>
    Array.from({ length: count - 1 }, (_, row) => cosine(vectors, row, vectors, row + 1, vectors.length / count));
  return pearson(neighbours(own), neighbours(taught));
}
