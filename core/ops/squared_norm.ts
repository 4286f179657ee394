import type { Device } from "../device.ts";
import { partsOf, squaredNormKernel } from "../kernels/squared_sums.ts";
import type { Tensor } from "../tensor.ts";
import { sumOver } from "./sum.ts";

/** The sum of the squares of all numbers of the tensors, `[1]`: one kernel for each, and the sum of what they leave. */
export function squaredNorm(device: Device, tensors: readonly Tensor[]): Tensor {
  const counts = tensors.map(({ size }) => partsOf(size));
  const parts = device.empty([counts.reduce((sum, count) => sum + count, 0)]);
  let offset = 0;
  tensors.forEach((input, index) => {
    const output = device.alias(parts, [counts[index]], offset);
    offset += counts[index];
    device.run(squaredNormKernel, { input, output }, { size: input.size, count: counts[index], factor: 1 });
  });
  return sumOver(device, parts, new Set([0]));
}
