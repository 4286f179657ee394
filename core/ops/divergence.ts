import type { Device } from "../device.ts";
import { DIVERGENCE_NOTES, jensenShannonKernels, klDivergenceKernels } from "../kernels/divergence.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { defineOp, type Op } from "./op.ts";

type Divergence = Op<[reference: Tensor, logits: Tensor, factor?: number]>;

const divergence = (kernels: typeof klDivergenceKernels, weight: number): Divergence =>
  defineOp({
    forward(device: Device, reference: Tensor, logits: Tensor, factor: number = 1) {
      if (logits.shape.length === 0 || showShape(reference.shape) !== showShape(logits.shape)) {
        throw new RangeError(
          `Cannot compare distributions ${showShape(reference.shape)} and ${
            showShape(logits.shape)
          }: expected two of ` +
            "one shape [..., classes]",
        );
      }
      if (!(factor > 0)) throw new RangeError(`Cannot multiply logits by ${factor}: expected a number above 0`);
      const columns = logits.shape.at(-1)!;
      const parameters = { rows: logits.size / columns, columns, factor, weight };
      const output = device.empty(logits.shape.slice(0, -1));
      const notes = device.empty([parameters.rows, DIVERGENCE_NOTES]);
      device.run(kernels.value, { reference, logits, output, notes }, parameters);
      return { output, saved: { notes, parameters } };
    },
    backward(device, { gradient, saved: { notes, parameters }, needs }, reference, logits) {
      return [reference, logits].map(({ shape }, side) => {
        if (!needs[side]) return null;
        const output = device.empty(shape);
        device.run(kernels.gradients[side], { reference, logits, notes, gradient, output }, parameters);
        return output;
      });
    },
  });

/**
 * KL(softmax(factor reference) || softmax(factor logits)) over the last dimension, in nats: two tensors
 * `[..., classes]` give `[...]`. The factor is one over a temperature, 1 by default. One kernel forward, one for each
 * gradient.
 *
 * @throws RangeError if the shapes differ, or the factor is not above 0
 */
export const klDivergence: Op<[reference: Tensor, logits: Tensor, factor?: number]> = divergence(
  klDivergenceKernels,
  1,
);

/**
 * The Jensen-Shannon divergence (Lin 1991) (KL(p || m) + KL(q || m)) / 2 of p = softmax(factor reference) and q =
 * softmax(factor logits), with m = (p + q) / 2, as in {@link klDivergence}. At most log 2.
 */
export const jensenShannonDivergence: Op<[reference: Tensor, logits: Tensor, factor?: number]> = divergence(
  jensenShannonKernels,
  1 / 2,
);
