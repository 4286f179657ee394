import { lossFactor } from "../../core/recipe/bounds.ts";
import { defineLoss } from "../../core/plugin/loss.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";
import { vectorLengths } from "./vectors.ts";

/** Examples nearer than this count as one point, which has no direction. */
const SMALLEST = 1e-6;

/** How the examples of a batch lie to each other. */
interface Relations {
  /** `[batch, batch]`: distances over their mean. */
  readonly distances: Tensor;
  /** `[batch, batch, width]`: from each example to each, with length 1. */
  readonly directions: Tensor;
}

function relations(ops: Ops, features: Tensor): Relations {
  const [batch, width] = features.shape;
  const to = ops.reshape(features, [1, batch, width]);
  // Differences rather than |x|^2 + |y|^2 - 2xy, which cancels in float32 for near examples.
  const differences = ops.subtract(to, ops.reshape(features, [batch, 1, width])); // [batch, batch, width]
  const { length, present } = vectorLengths(ops, differences, SMALLEST);
  const lengths = ops.reshape(ops.multiply(length, present), [batch, batch]); // zeros on the diagonal
  const mean = ops.scale(ops.sum(lengths), 1 / Math.max(1, batch * (batch - 1)));
  return {
    distances: ops.divide(lengths, ops.clampMinimum(mean, SMALLEST)),
    directions: ops.divide(ops.multiply(differences, present), length),
  };
}

/** Cosines of the angles that two examples make at a third: `[batch, batch, batch]`. */
const angles = (ops: Ops, { directions }: Relations) => ops.matmul(directions, directions, { transposeB: true });

/**
 * Relational knowledge distillation (RKD, Park et al. 2019, arXiv 1904.05068) of the pooled features: the mean of
 * h(d_S / mean d_S - d_T / mean d_T) over pairs of examples, times `distance`, and the mean of h(cos_S - cos_T) over
 * the angles of triples of examples, times `angle`; h(x) is x^2 / 2 for |x| < 1, else |x| - 1/2. The means of h run
 * over all B^2 pairs and B^3 triples, as in the published code. Moving, rotating or scaling the features changes
 * nothing, and the widths need not agree.
 *
 * Coinciding examples have distance 0, cosine 0 and no gradient. Memory grows with B^3 and with B^2 times the width.
 */
export const relational = defineLoss<{ distance: Scheduled; angle: Scheduled }>({
  name: "relational",
  description: "Distances and angles between the examples of a batch (RKD)",
  equation: "distance mean h(d_S / mean d_S - d_T / mean d_T) + angle mean h(cos_S - cos_T), h of Huber",
  source: "Park et al. 2019, arXiv 1904.05068",
  options: ({ z, scheduled }) =>
    z.strictObject({
      distance: scheduled(lossFactor).default(25).describe("Weight of the distances between two examples"),
      angle: scheduled(lossFactor).default(50).describe("Weight of the angles between three examples"),
    }),
  create: ({ distance, angle }) => ({
    teacherOutputs: ["pooled"],
    meanOver: "batch",
    mixed: true,
    compute({ ops, student, teacher, at }) {
      const [a, b] = [student, teacher].map(({ pooled }) => relations(ops, pooled));
      const compare = (x: Tensor, y: Tensor) => ops.mean(ops.huber(ops.subtract(x, y), 1));
      const byDistance = ops.scale(compare(a.distances, b.distances), at(distance));
      if (at(angle) === 0) return byDistance; // spares B^3 numbers
      return ops.add(byDistance, ops.scale(compare(angles(ops, a), angles(ops, b)), at(angle)));
    },
  }),
});
