import { defineLoss } from "../../core/plugin/loss.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Batch } from "../../core/plugin/dataset.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type LayerPair, outputAt, outputsOf, pairShapes, pairsOption } from "./layer_pairs.ts";
import { tokenMask } from "./masked.ts";
import { unitVectors } from "./vectors.ts";

/** How alike the examples of a batch are: the products of their features, each row of length 1. `[batch, batch]` */
function similarities(ops: Ops, features: Tensor, batch: Batch<Tensor>): Tensor {
  const mask = tokenMask(batch, features);
  const tokens = mask ? ops.multiply(features, ops.reshape(mask, [...mask.shape, 1])) : features;
  const rows = ops.reshape(tokens, [features.shape[0], -1]);
  return unitVectors(ops, ops.matmul(rows, rows, { transposeB: true }));
}

/**
 * Similarity-preserving distillation (SP, Tung and Mori 2019, arXiv 1907.09682): for each pair of layers
 * ||n(F_S F_S^T) - n(F_T F_T^T)||_F^2 / B^2, with F `[B, everything else]` and n the division of each row by its
 * length; pairs are summed. The layers need not agree in shape. Of texts two examples are compared token by token, and
 * the padding of the shorter one counts as zero. The usual weight of the loss is 3000.
 */
export const similarityPreserving = defineLoss<{ pairs: LayerPair[] }>({
  name: "similarity-preserving",
  description: "Which examples of a batch are alike (SP)",
  equation: "sum over pairs of ||n(F_S F_S^T) - n(F_T F_T^T)||_F^2 / B^2, n: rows at length 1",
  source: "Tung and Mori 2019, arXiv 1907.09682",
  options: ({ z }) => z.strictObject({ pairs: pairsOption(z) }),
  create({ pairs }, setup) {
    pairs.forEach((pair) => pairShapes(pair, setup));
    return {
      teacherOutputs: outputsOf(pairs, setup),
      meanOver: "batch",
      mixed: true,
      compute({ ops, student, teacher, batch }) {
        const terms = pairs.map((pair) => {
          const a = similarities(ops, outputAt(student, pair.student), batch);
          const b = similarities(ops, outputAt(teacher, pair.teacher), batch);
          return ops.mean(ops.square(ops.subtract(a, b)));
        });
        return ops.total(terms);
      },
    };
  },
});
