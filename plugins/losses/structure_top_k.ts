import { lossFactor } from "../../core/recipe/bounds.ts";
import { UserError } from "../../core/errors.ts";
import { MOST_PATHS, NO_PATH } from "../../core/kernels/viterbi.ts";
import { defineLoss } from "../../core/plugin/loss.ts";
import { chainScores, expectTaggers } from "./crf_chains.ts";
import { scoredPositions } from "./masked.ts";

/**
 * Distillation of the teacher's best paths of tags (top-k, Wang et al. 2020, arXiv 2004.03846):
 * sum_r w_r (-log p_S(y^r | x)) over the teacher's k best paths y^1 .. y^k by k-best Viterbi, mean over the batch. The
 * weights are those of the code of arXiv 2203.04825, where k is 3. A chain so short that it has fewer paths leaves the
 * others out.
 */
export const structureTopK = defineLoss<{ weights: number[] }>({
  name: "structure-top-k",
  description: "Likelihood of the teacher's best paths of tags",
  equation: "sum_r w_r (-log p_S(y^r | x)), y^r the r-th best path of the teacher",
  source: "Wang et al. 2020, arXiv 2004.03846",
  options: ({ z }) =>
    z.strictObject({
      weights: z.array(lossFactor).min(1).default([1, 0.1, 0.1]).describe(
        "Weight of each path, the best first; as many paths are searched, at most 8",
      ),
    }),
  create({ weights }, setup) {
    expectTaggers("structure-top-k", setup, ["student", "teacher"]);
    const paths = weights.length;
    if (paths > MOST_PATHS) {
      throw new UserError(
        `Cannot search ${paths} paths in "structure-top-k": at most ${MOST_PATHS} weights are possible`,
      );
    }
    return {
      teacherOutputs: ["logits", "transitions"],
      meanOver: "examples",
      compute({ ops, student, teacher, batch: { label } }) {
        const [size, length] = label.shape;
        const mask = scoredPositions(ops, label);
        const { best, factors } = ops.constant(() => {
          const { emissions, transitions } = chainScores(ops, teacher);
          const { tags, scores } = ops.viterbi(emissions, transitions, mask, paths);
          const present = ops.minimum(ops.relu(ops.offset(scores, -NO_PATH / 2)), ops.scalar(1)); // [batch, paths]
          return {
            best: ops.reshape(tags, [size * paths, length]),
            factors: ops.multiply(present, ops.tensor(weights)),
          };
        });
        const { emissions, transitions } = chainScores(ops, student);
        const tags = emissions.shape[2];
        const repeated = ops.expand(ops.reshape(emissions, [size, 1, length, tags]), [size, paths, length, tags]);
        const rows = ops.reshape(repeated, [size * paths, length, tags]);
        const scores = ops.reshape(ops.crfScore(rows, transitions, best), [size, paths]);
        const logPartition = ops.reshape(ops.crfLogPartition(emissions, transitions, mask), [size, 1]);
        return ops.scale(ops.sum(ops.multiply(ops.subtract(logPartition, scores), factors)), 1 / size);
      },
    };
  },
});
