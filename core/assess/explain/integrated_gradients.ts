import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import { gaussLegendre } from "./gauss_legendre.ts";

/**
 * Integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365, eq. 1): (x - x0) times the mean of the gradient on
 * the straight way from x0 to x, by the Gauss-Legendre rule. Each example's add up to f(x) - f(x0) where there are
 * steps enough.
 *
 * @param answers from inputs `[batch, ...]` to a number of each example, `[batch]`, which depends on that example alone
 * @param x where the way ends
 * @param baseline where it begins, in the same shape
 * @returns in the shape of x
 */
export function integratedGradients(
  ops: Ops,
  answers: (inputs: Tensor) => Tensor,
  { x, baseline, steps }: { readonly x: Tensor; readonly baseline: Tensor; readonly steps: number },
): Tensor {
  const way = ops.subtract(x, baseline);
  const { places, weights } = gaussLegendre(steps);
  let mean: Tensor | null = null;
  places.forEach((place, index) => {
    // One step's tensors are gone before the next.
    const next = ops.scope(() => {
      const inputs = ops.add(baseline, ops.scale(way, place));
      const { gradients: [gradient] } = ops.differentiate(() => ops.sum(answers(inputs)), [inputs]);
      const part = gradient ? ops.scale(gradient, weights[index]) : ops.full(x.shape, 0);
      return mean ? ops.add(mean, part) : part;
    });
    mean?.dispose();
    mean = next;
  });
  return ops.multiply(way, mean!);
}
