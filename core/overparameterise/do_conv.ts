import { UserError } from "../errors.ts";
import type { OverParameterisation } from "../recipe/recipe_type.ts";
import { showShape, sizeOf } from "../tensor.ts";
import type { WeightProvider } from "./weight_provider.ts";

/**
 * A convolution's weight behind a depthwise one (DO-Conv): for each input a square matrix mixes the places of all its
 * kernels, `W[o, i, p] = sum_q (I + D_i)[p, q] W'[o, i, q]`, with as many places before as after, which is the default
 * there. As in the published code what is trained is the difference from the identity, which begins at zero: weight
 * decay pulls towards plain kernels.
 *
 * A convolution in groups has as many matrices as its kernels have inputs, which all groups share.
 *
 * @throws UserError for a weight whose kernels have one place: the matrices would be numbers
 */
export function doConv(_: OverParameterisation, shape: readonly number[]): WeightProvider {
  const [outputs, inputs, ...sides] = shape;
  const places = sizeOf(sides);
  if (places === 1) {
    throw new UserError(
      `Cannot use do-conv where there is nothing to mix: expected kernels of more than one place, not ${
        showShape(shape)
      }; leave it out by "!" in layers`,
    );
  }
  return {
    use: "do-conv",
    source: "DO-Conv, arXiv:2006.12030",
    heldAs: `a kernel and ${inputs} of ${places} x ${places}`,
    shapes: [shape, [inputs, places, places]],
    depth: 2,
    multiplyAdds: outputs * inputs * places ** 2,
    chain: null,
    start: (weight) => Promise.resolve([Float64Array.from(weight), new Float64Array(inputs * places ** 2)]),
    weight(ops, [kernel, mixing]) {
      const mixed = ops.contract("ipq,oiq->oip", mixing, ops.reshape(kernel, [outputs, inputs, places]));
      return ops.add(kernel, ops.reshape(mixed, shape));
    },
    merge: ([kernel, mixing]) =>
      kernel.map((value, at) => {
        const place = at % places, first = at - place;
        const row = (Math.floor(at / places) % inputs * places + place) * places;
        for (let other = 0; other < places; other++) value += mixing[row + other] * kernel[first + other];
        return value;
      }),
  };
}
