import { sizeOf } from "../tensor.ts";
import type { OverParameterisation } from "../recipe/recipe_type.ts";
import type { WeightProvider } from "./weight_provider.ts";

/**
 * A weight as a sum of kernels, each with a gain for every output; a convolution's has two more terms, a kernel of one
 * place, in the middle, and one that is the same in all places (online re-parameterisation, OREPA):
 *
 * `W[o, i, p] = sum_j g_j[o] K_j[o, i, p] + h_1[o] P_1[o, i] [p is the middle] + h_2[o] P_2[o, i] / places`
 *
 * The published terms that are products of three tensors, a 1x1 before a kernel and separable filters, are left out,
 * and so are its fixed frequency filters. Gains begin at `1 / sqrt(kernels)`, so that a step of gradient descent on the
 * kernels alone moves the weight as far as one on the weight itself does. Kernels begin as independent normal ones of
 * the weight's own size that happen to sum up to it: equal ones would stay equal. The further terms begin at zero.
 */
export function sum({ kernels }: OverParameterisation, shape: readonly number[]): WeightProvider {
  const count = kernels!;
  const [outputs, inputs, ...sides] = shape;
  const places = sizeOf(sides);
  const isSpatial = places > 1;
  const size = inputs * places;
  const gain = 1 / Math.sqrt(count);
  const placing = isSpatial ? placingMatrix(sides) : null;
  return {
    use: "sum",
    source: "OREPA, arXiv:2204.00826",
    heldAs: `${count} ${count === 1 ? "kernel" : "kernels"}${isSpatial ? ", 1x1 and mean" : ""}`,
    shapes: [
      [count, outputs, size],
      [count, outputs],
      ...(isSpatial ? [[2, outputs, inputs], [2, outputs]] : []),
    ],
    depth: 2,
    multiplyAdds: count * outputs * size + (isSpatial ? 2 * outputs * inputs * (1 + places) : 0),
    chain: null,
    start(weight, { random }) {
      const scale = Math.sqrt(weight.reduce((sum, value) => sum + value ** 2, 0) / weight.length);
      const all = new Float64Array(count * weight.length);
      weight.forEach((value, at) => {
        const drawn = Float64Array.from({ length: count }, () => random.normal());
        const mean = drawn.reduce((sum, number) => sum + number, 0) / count;
        drawn.forEach((number, kernel) => all[kernel * weight.length + at] = value * gain + scale * (number - mean));
      });
      const gains = new Float64Array(count * outputs).fill(gain);
      const further = [new Float64Array(2 * outputs * inputs), new Float64Array(2 * outputs).fill(gain)];
      return Promise.resolve([all, gains, ...(isSpatial ? further : [])]);
    },
    weight(ops, [all, gains, points, pointGains]) {
      const scaled = ops.multiply(all, ops.reshape(gains, [count, outputs, 1]));
      const whole = ops.reshape(ops.sum(scaled, { axes: [0] }), shape);
      if (!placing) return whole;
      const both = ops.multiply(points, ops.reshape(pointGains, [2, outputs, 1]));
      const placed = ops.matmul(
        ops.reshape(both, [2, outputs * inputs]),
        ops.tensor(placing, [2, places]),
        { transposeA: true },
      );
      return ops.add(whole, ops.reshape(placed, shape));
    },
    merge([all, gains, points, pointGains]) {
      const weight = new Float64Array(outputs * size);
      for (let kernel = 0; kernel < count; kernel++) {
        for (let at = 0; at < weight.length; at++) {
          weight[at] += gains[kernel * outputs + Math.floor(at / size)] * all[kernel * weight.length + at];
        }
      }
      if (!placing) return weight;
      for (let term = 0; term < 2; term++) {
        for (let at = 0; at < outputs * inputs; at++) {
          const value = pointGains[term * outputs + Math.floor(at / inputs)] * points[term * outputs * inputs + at];
          for (let place = 0; place < places; place++) {
            weight[at * places + place] += value * placing[term * places + place];
          }
        }
      }
      return weight;
    },
  };
}

/** Where the two further terms go, `[2, places]`: into the middle, and in equal parts everywhere. */
function placingMatrix(sides: readonly number[]): Float64Array {
  const places = sizeOf(sides);
  const middle = sides.reduce((at, side) => at * side + Math.floor(side / 2), 0);
  return Float64Array.from({ length: 2 * places }, (_, at) => at < places ? +(at === middle) : 1 / places);
}
