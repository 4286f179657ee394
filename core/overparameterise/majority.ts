import type { Random } from "../data/random.ts";
import type { OverParameterisation } from "../recipe/recipe_type.ts";
import { sizeOf } from "../tensor.ts";
import type { WeightProvider } from "./weight_provider.ts";

/**
 * A weight as several kernels, of which each training step takes a random convex mix, and which end as their mean
 * (majority kernels): `W = sum_j p_j K_j`, `p_j >= 0`, `sum_j p_j = 1`. The shares are drawn for each weight and step,
 * every vector of them as likely as any other; outside of training they are equal.
 *
 * All kernels begin as the weight: whatever is mixed is the weight, and the shares alone draw them apart. Gradient
 * descent moves the mean a `kernels`-th as far as it would move the weight, so that a learning rate which is as many
 * times larger (`train.cores.learningRateScale`) makes steps of the same size.
 *
 * @returns `null` for one kernel, which is the weight itself
 */
export function majority({ kernels }: OverParameterisation, shape: readonly number[]): WeightProvider | null {
  const count = kernels!;
  const size = sizeOf(shape);
  return count === 1 ? null : {
    use: "majority",
    source: "majority kernels, arXiv:2402.05033",
    heldAs: `${count} kernels, mixed`,
    shapes: [[count, size]],
    depth: 1,
    multiplyAdds: count * size,
    chain: null,
    start: (weight) => Promise.resolve([Float64Array.from({ length: count * size }, (_, at) => weight[at % size])]),
    draw: (random) => shares(random, count),
    weight(ops, [all], drawn) {
      const mix = drawn ? ops.reshape(drawn, [1, count]) : ops.full([1, count], 1 / count);
      return ops.reshape(ops.matmul(mix, all), shape);
    },
    merge: ([all]) =>
      Float64Array.from({ length: size }, (_, at) => {
        let sum = 0;
        for (let kernel = 0; kernel < count; kernel++) sum += all[kernel * size + at];
        return sum / count;
      }),
  };
}

/** Parts of a whole, uniform on the simplex: exponential numbers over their sum. */
function shares(random: Random, count: number): Float32Array {
  const numbers = Array.from({ length: count }, () => -Math.log(1 - random.uniform()));
  const sum = numbers.reduce((sum, number) => sum + number, 0);
  return Float32Array.from(numbers, (number) => number / sum);
}
