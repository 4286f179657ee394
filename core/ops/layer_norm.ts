import type { Device } from "../device.ts";
import { layerNormGradientKernel, layerNormKernel, layerNormSumsKernel } from "../kernels/layer_norm.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { chunksOf } from "./chunks.ts";
import { defineOp, type Op } from "./op.ts";
import { sumOver } from "./sum.ts";

/** Options of layer norm. */
export interface LayerNormOptions {
  /** Added to the variance: 1e-5 as in PyTorch by default; BERT takes 1e-12. */
  readonly epsilon?: number;
}

/** Rows that one thread sums on a software adapter. */
const CHUNK = 64;

/**
 * Layer normalisation (Ba et al. 2016, arXiv 1607.06450) over the last dimension: `x [..., width]`, `weight [width]`,
 * `bias [width]`.
 */
export const layerNorm: Op<[x: Tensor, weight: Tensor, bias: Tensor, options?: LayerNormOptions]> = defineOp({
  forward(device: Device, x: Tensor, weight: Tensor, bias: Tensor, { epsilon = 1e-5 }: LayerNormOptions = {}) {
    const columns = x.shape.at(-1) ?? 0;
    for (const tensor of [weight, bias]) {
      if (showShape(tensor.shape) !== showShape([columns])) {
        throw new RangeError(
          `Cannot normalise ${showShape(x.shape)} with a tensor of shape ${showShape(tensor.shape)}: ` +
            `expected [${columns}]`,
        );
      }
    }
    const rows = x.size / columns;
    const y = device.empty(x.shape, device.formatOf(x));
    const [mean, scale] = [0, 1].map(() => device.empty([rows]));
    device.run(layerNormKernel, { x, weight, bias, y, mean, scale }, { rows, columns, epsilon });
    return { output: y, saved: { mean, scale } };
  },
  backward(device, { gradient, saved: { mean, scale }, needs }, x, weight) {
    const columns = weight.size;
    const rows = x.size / columns;
    let dx: Tensor | null = null;
    if (needs[0]) {
      dx = device.empty(x.shape, x.format);
      device.run(layerNormGradientKernel, { x, gradient, weight, mean, scale, dx }, { rows, columns });
    }
    if (!needs[1] && !needs[2]) return [dx, null, null];
    const { chunk, chunks } = chunksOf(device, { outer: 1, length: rows, inner: columns }, CHUNK);
    const [biasSums, weightSums] = [0, 1].map(() => device.empty([chunks, columns]));
    const views = { x, gradient, mean, scale, biasSums, weightSums };
    device.run(layerNormSumsKernel, views, { rows, columns, chunk, chunks });
    const total = (sums: Tensor) => device.alias(chunks === 1 ? sums : sumOver(device, sums, new Set([0])), [columns]);
    return [dx, total(weightSums), total(biasSums)];
  },
});
