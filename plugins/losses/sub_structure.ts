import { defineLoss, type LossCall } from "../../core/plugin/loss.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";
import { UserError } from "../../core/errors.ts";
import { chainScores, expectTaggers } from "./crf_chains.ts";
import { maskedMean, scoredPositions, tokenPositions } from "./masked.ts";

type Parts = "emissions" | "edges" | "arcs";

/** 1 at scored positions with a scored one before them, `[batch, length]`: where a transition ends. */
function edgePositions(ops: Ops, scored: Tensor): Tensor {
  const length = scored.shape[1];
  const earlier = Array.from({ length: length * length }, (_, i) => Math.floor(i / length) < i % length ? 1 : 0);
  const before = ops.matmul(scored, ops.tensor(earlier, [length, length])); // how many scored ones come before
  return ops.multiply(scored, ops.minimum(before, ops.scalar(1)));
}

/** 1 for a head and a dependant, `[batch, heads, dependants]`: two different tokens, the second with a label. */
function arcPositions(ops: Ops, tokens: Tensor, scored: Tensor): Tensor {
  const [batch, length] = scored.shape;
  const others = Array.from({ length: length * length }, (_, i) => i % (length + 1) === 0 ? 0 : 1);
  const pairs = ops.multiply(ops.reshape(tokens, [batch, length, 1]), ops.reshape(scored, [batch, 1, length]));
  return ops.multiply(pairs, ops.tensor(others, [length, length]));
}

const compare: Readonly<Record<Parts, (call: LossCall) => Tensor>> = {
  emissions({ ops, student, teacher, batch }) {
    const mask = scoredPositions(ops, batch.label);
    const squares = ops.square(ops.subtract(student.logits, teacher.logits));
    return maskedMean(ops, squares, ops.reshape(mask, [...mask.shape, 1]));
  },
  edges({ ops, student, teacher, batch }) {
    const mask = ops.constant(() => edgePositions(ops, scoredPositions(ops, batch.label)));
    const [a, b] = [student, teacher].map((outputs) => chainScores(ops, outputs));
    const [size, length, tags] = a.emissions.shape;
    const emissions = ops.reshape(ops.subtract(a.emissions, b.emissions), [size, length, 1, tags]);
    const differences = ops.add(emissions, ops.subtract(a.transitions, b.transitions)); // [batch, length, from, to]
    return maskedMean(ops, ops.square(differences), ops.reshape(mask, [size, length, 1, 1]));
  },
  arcs({ ops, student, teacher, batch }) {
    const [size, length] = batch.label.shape;
    const mask = ops.constant(() =>
      arcPositions(ops, tokenPositions(ops, batch, size, length), scoredPositions(ops, batch.label))
    );
    return maskedMean(ops, ops.square(ops.subtract(student.logits, teacher.logits)), mask);
  },
};

/**
 * Sub-structured distillation (Lin et al. 2022, arXiv 2203.04825): the student's scores of all sub-structures near the
 * teacher's, without decoding. The mean of (s_S(u) - s_T(u))^2 over batch and sub-structures u of the kind `parts`:
 *
 * - `emissions`: tags at a token, s = e[t, j]; the published code's default (struct_wo_trans)
 * - `edges`: pairs of tags at neighbouring tokens, s = tr[i, j] + e[t, j] (struct_with_trans)
 * - `arcs`: head h and dependant m of a graph parser whose logits are `[batch, h, m]`, h and m different; the same
 *   principle, which the paper does not try
 *
 * Only tokens with a label count, where the published code averages over the padding, too. Its total loss is
 * (1 - alpha) NLL + alpha L with alpha = 0.9: `crf` with weight 0.1 and this one with 0.9. There the NLL is summed over
 * the batch and here it is a mean, so its weight here corresponds to that one times the size of a batch.
 */
export const subStructure = defineLoss<{ parts: Parts }>({
  name: "sub-structure",
  description: "Squared differences of the scores of all sub-structures: tags, pairs of tags, or arcs",
  equation: "mean_u (s_S(u) - s_T(u))^2 over all sub-structures u",
  source: "Lin et al. 2022, arXiv 2203.04825",
  options: ({ z }) =>
    z.strictObject({
      parts: z.enum(["emissions", "edges", "arcs"]).default("emissions").describe(
        "Which scores: of tags, of tags with the transition to them, or of a parser's arcs",
      ),
    }),
  create({ parts }, setup) {
    if (parts === "edges") expectTaggers("sub-structure", setup, ["student", "teacher"]);
    else if (setup.data.task !== "tagging") {
      throw new UserError(
        `Cannot use the loss "sub-structure" for ${setup.data.task}: it needs a label for each token`,
      );
    }
    return {
      teacherOutputs: parts === "edges" ? ["logits", "transitions"] : ["logits"],
      ...parts !== "emissions" && { meanOver: "tokens" },
      compute: compare[parts],
    };
  },
});
