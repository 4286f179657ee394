import { bounded } from "../../core/recipe/bounds.ts";
import { UserError } from "../../core/errors.ts";
import { defineLoss, type LossSetup } from "../../core/plugin/loss.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type LayerPair, outputAt, outputsOf, pairShapes, pairsOption, showPair } from "./layer_pairs.ts";
import { unitVectors } from "./vectors.ts";

/** By how much each side's map is averaged down, so that both have the size of the smaller one. */
interface Windows {
  readonly student: number;
  readonly teacher: number;
}

function windowsOf(pair: LayerPair, setup: LossSetup): Windows {
  const shapes = pairShapes(pair, setup);
  const action = `Cannot compare attention of ${showPair(pair, shapes)}`;
  if (shapes.student.length !== 4 || shapes.teacher.length !== 4) {
    throw new UserError(`${action}: both must be images [batch, height, width, channels]`);
  }
  const [height, width] = [1, 2].map((axis) => shapes.student[axis] / shapes.teacher[axis]);
  const window = Math.max(height, 1 / height);
  if (height !== width || !Number.isInteger(window)) {
    throw new UserError(`${action}: height and width of one must be the same whole multiple of the other's`);
  }
  if (window === 1) return { student: 1, teacher: 1 };
  const larger = height > 1 ? pair.student : pair.teacher;
  setup.report(`attention-transfer: "${larger}" is averaged over windows of ${window} x ${window} to the other's size`);
  return height > 1 ? { student: window, teacher: 1 } : { student: 1, teacher: window };
}

/** |x|^p for a whole p of 1 or more. */
function power(ops: Ops, x: Tensor, p: number): Tensor {
  if (p === 1) return ops.abs(x);
  const even = power(ops, ops.square(x), Math.floor(p / 2));
  return p % 2 === 0 ? even : ops.multiply(even, ops.abs(x));
}

/** Attention maps of images `[batch, height, width, channels]` as vectors of length 1: `[batch, height * width]`. */
function attention(ops: Ops, x: Tensor, window: number, p: number): Tensor {
  const pooled = window === 1 ? x : ops.averagePool2d(x, { size: window });
  const map = ops.sum(power(ops, pooled, p), { axes: [-1] });
  return unitVectors(ops, ops.reshape(map, [x.shape[0], -1]));
}

/**
 * Attention transfer (AT, Zagoruyko and Komodakis 2017, arXiv 1612.03928): for each pair of feature maps the mean over
 * batch and pixels of (n(sum_c |f_S|^p) - n(sum_c |f_T|^p))^2, with n(a) = a / ||a||_2 over an image's pixels; pairs
 * are summed. The channels need not agree in number; the larger map is averaged down to the smaller one's size. The
 * usual weight of the loss is 1000.
 */
export const attentionTransfer = defineLoss<{ pairs: LayerPair[]; p: number }>({
  name: "attention-transfer",
  description: "Where feature maps are large, whatever their channels (AT)",
  equation: "sum over pairs of mean (n(sum_c |f_S|^p) - n(sum_c |f_T|^p))^2, n(a) = a / ||a||",
  source: "Zagoruyko and Komodakis 2017, arXiv 1612.03928",
  options: ({ z }) =>
    z.strictObject({
      pairs: pairsOption(z),
      p: bounded(z.int().min(1).max(8), "of a higher power nothing but the peak is left").default(2).describe(
        "Power of the activations; a larger one looks at the peaks only",
      ),
    }),
  create({ pairs, p }, setup) {
    const windows = pairs.map((pair) => windowsOf(pair, setup));
    return {
      teacherOutputs: outputsOf(pairs, setup),
      mixed: true,
      compute({ ops, student, teacher }) {
        const terms = pairs.map((pair, index) => {
          const a = attention(ops, outputAt(student, pair.student), windows[index].student, p);
          const b = attention(ops, outputAt(teacher, pair.teacher), windows[index].teacher, p);
          return ops.mean(ops.square(ops.subtract(a, b)));
        });
        return ops.total(terms);
      },
    };
  },
});
