import { defineLoss, type LossCall } from "../../core/plugin/loss.ts";
import type { Tensor } from "../../core/tensor.ts";
import { chainScores, expectTaggers } from "./crf_chains.ts";
import { divergences } from "./divergence.ts";
import { scoredPositions } from "./masked.ts";

type Over = "tags" | "sequences";

const compare: Readonly<Record<Over, (call: LossCall) => Tensor>> = {
  tags({ ops, student, teacher, batch }) {
    const mask = scoredPositions(ops, batch.label);
    const [logStudent, logTeacher] = [student, teacher].map((outputs) => {
      const { emissions, transitions } = chainScores(ops, outputs);
      return ops.crfLogMarginals(emissions, transitions, mask);
    });
    // Where the mask leaves a position out both are 0, and so is their difference.
    return ops.scale(ops.sum(divergences(ops, logTeacher, logStudent)), 1 / mask.shape[0]);
  },
  sequences({ ops, student, teacher, batch }) {
    const mask = scoredPositions(ops, batch.label);
    const [a, b] = [student, teacher].map((outputs) => chainScores(ops, outputs));
    const logPartition = ({ emissions, transitions }: typeof a) =>
      ops.sum(ops.crfLogPartition(emissions, transitions, mask));
    // The gradients of log Z are the teacher's marginals: of tags at each position, and of pairs of tags.
    const { loss, gradients: [tags, pairs] } = ops.differentiate(() => logPartition(b), [b.emissions, b.transitions]);
    const tagScores = ops.sum(ops.multiply(ops.subtract(b.emissions, a.emissions), tags!));
    const pairScores = ops.sum(ops.multiply(ops.subtract(b.transitions, a.transitions), pairs!));
    const partitions = ops.subtract(logPartition(a), loss);
    return ops.scale(ops.add(ops.add(tagScores, pairScores), partitions), 1 / batch.label.shape[0]);
  },
};

/**
 * Structural distillation by marginals, mean over the batch, in nats:
 *
 * - `tags`: sum_t KL(p_T(y_t | x) || p_S(y_t | x)) of the tags' marginal probabilities, by forward-backward in both
 *   models (posterior distillation, Wang et al. 2020, arXiv 2004.03846)
 * - `sequences`: KL(p_T(y | x) || p_S(y | x)) of whole paths, exactly, from the teacher's marginals of tags and pairs
 *   of tags (Wang et al. 2021, arXiv 2010.05010): sum_u p_T(u) (s_T(u) - s_S(u)) + log Z_S - log Z_T
 */
export const structureMarginals = defineLoss<{ over: Over }>({
  name: "structure-marginals",
  description: "KL divergence of the tags' marginal probabilities, or of whole paths of tags",
  equation: "sum_t KL(p_T(y_t | x) || p_S(y_t | x)), or KL(p_T(y | x) || p_S(y | x))",
  source: "Wang et al. 2020, arXiv 2004.03846; Wang et al. 2021, arXiv 2010.05010",
  options: ({ z }) =>
    z.strictObject({
      over: z.enum(["tags", "sequences"]).default("tags").describe("What is compared: tags one by one, or whole paths"),
    }),
  create({ over }, setup) {
    expectTaggers("structure-marginals", setup, ["student", "teacher"]);
    return { teacherOutputs: ["logits", "transitions"], meanOver: "examples", compute: compare[over] };
  },
});
