import { MOST_PATHS, viterbiKernel } from "../kernels/viterbi.ts";
import type { Tensor } from "../tensor.ts";
import { chainSizes } from "./crf.ts";
import type { Ops } from "./ops.ts";

/** The best paths through linear chains, from the best down. */
export interface BestPaths {
  /** `[batch, paths, length]`: tags; -1 where the mask is 0, and all along a path that is not there. */
  readonly tags: Tensor;
  /** `[batch, paths]`: the score of each; -1e30 where there are fewer paths. */
  readonly scores: Tensor;
}

/**
 * The paths of tags with the highest scores (Viterbi 1967), scored as in `crfLogPartition`. No gradient goes through
 * it.
 *
 * @param emissions `[batch, length, tags]`
 * @param transitions `[tags, tags]`, from and to
 * @param mask `[batch, length]`; 0 leaves a position out of the chain
 * @param paths how many, from 1 to 8
 * @throws RangeError for another number of paths, or shapes that do not fit each other
 */
export function viterbi(ops: Ops, emissions: Tensor, transitions: Tensor, mask: Tensor, paths = 1): BestPaths {
  const sizes = chainSizes(emissions, transitions, mask);
  if (!Number.isInteger(paths) || paths < 1 || paths > MOST_PATHS) {
    throw new RangeError(`Cannot find the ${paths} best paths: expected a whole number from 1 to ${MOST_PATHS}`);
  }
  const { sequences, length, tags } = sizes;
  const { device } = ops;
  return ops.scope(() => {
    const [best, origins] = [0, 1].map(() => device.empty([sequences, length, tags, paths]));
    const scores = device.empty([sequences, paths]);
    const path = device.empty([sequences, paths, length]);
    device.run(viterbiKernel, { emissions, transitions, mask, best, origins, scores, path }, { ...sizes, paths });
    return { tags: path, scores };
  });
}
