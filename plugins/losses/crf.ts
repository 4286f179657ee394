import { defineLoss } from "../../core/plugin/loss.ts";
import { chainScores, expectTaggers, negativeLogLikelihood } from "./crf_chains.ts";
import { scoredPositions } from "./masked.ts";

/**
 * The hard-label loss of tagging: -log p(y | x) of a linear-chain conditional random field (Lafferty et al. 2001) for
 * the gold tags y, log Z - sum_t e[t, y_t] - sum_t tr[y_(t-1), y_t], mean over the batch. The chain runs over the
 * tokens that have a label. Beside a distillation loss its weight is 1 - alpha; see `sub-structure`.
 */
export const crf = defineLoss<Record<never, never>>({
  name: "crf",
  description: "Negative log-likelihood of the gold tags in a conditional random field",
  equation: "mean_b (log Z - score(gold tags))",
  source: "Lafferty, McCallum and Pereira 2001 (ICML)",
  options: ({ z }) => z.strictObject({}),
  create(_options, setup) {
    expectTaggers("crf", setup, ["student"]);
    return {
      teacherOutputs: [],
      meanOver: "examples",
      labels: "some",
      compute({ ops, student, batch: { label } }) {
        const mask = scoredPositions(ops, label);
        return ops.mean(negativeLogLikelihood(ops, chainScores(ops, student), label, mask));
      },
    };
  },
});
