import { UserError } from "../../core/errors.ts";
import { defineLoss } from "../../core/plugin/loss.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type LayerPair, outputAt, outputsOf, pairShapes, pairsOption, showPair } from "./layer_pairs.ts";
import { unitVectors } from "./vectors.ts";

/** `[batch, width]`: the first token of `[batch, tokens, width]`, or the whole of `[batch, width]`. */
function summary(ops: Ops, h: Tensor): Tensor {
  if (h.shape.length === 2) return h;
  const [batch, , width] = h.shape;
  return ops.pick(ops.permute(h, [0, 2, 1]), ops.full([batch, width], 0));
}

/**
 * Patient knowledge distillation (PKD, Sun et al. 2019, arXiv 1908.09355): || h_S / ||h_S|| - h_T / ||h_T|| ||^2, mean
 * over batch and pairs of layers, of the first token ([CLS]) of each example. The paper pairs every second layer of the
 * teacher ("skip") or its last ones ("last"), the output layer left out, and weights this loss with 10 to 1000.
 */
export const patient = defineLoss<{ pairs: LayerPair[] }>({
  name: "patient",
  description: "Direction of the first token's hidden states (PKD)",
  equation: "||h_S / ||h_S|| - h_T / ||h_T|| ||^2 of the first tokens, mean over batch and pairs",
  source: "Sun et al. 2019, arXiv 1908.09355",
  options: ({ z }) => z.strictObject({ pairs: pairsOption(z) }),
  create({ pairs }, setup) {
    for (const pair of pairs) {
      const shapes = pairShapes(pair, setup);
      const action = `Cannot compare the first tokens of ${showPair(pair, shapes)}`;
      if ([shapes.student, shapes.teacher].some(({ length }) => length !== 2 && length !== 3)) {
        throw new UserError(`${action}: each must be [batch, tokens, width] or [batch, width]`);
      }
      if (shapes.student.at(-1) !== shapes.teacher.at(-1)) {
        throw new UserError(`${action}: the widths must be equal; cosine-hidden learns a projection`);
      }
    }
    return {
      teacherOutputs: outputsOf(pairs, setup),
      meanOver: "examples",
      tokenwise: false,
      compute({ ops, student, teacher }) {
        const terms = pairs.map((pair) => {
          const [a, b] = [outputAt(student, pair.student), outputAt(teacher, pair.teacher)].map((h) =>
            unitVectors(ops, summary(ops, h))
          );
          return ops.scale(ops.sum(ops.square(ops.subtract(a, b))), 1 / a.shape[0]);
        });
        return ops.scale(ops.total(terms), 1 / terms.length);
      },
    };
  },
});
