import direction from "../../shaders/conv2d_direction.wgsl" with { type: "text" };
import filterGradient from "../../shaders/conv2d_filter_gradient_tiled.wgsl" with { type: "text" };
import forward from "../../shaders/conv2d_forward.wgsl" with { type: "text" };
import scalarSeen from "../../shaders/conv2d_seen_scalar.wgsl" with { type: "text" };
import vectorSeen from "../../shaders/conv2d_seen_vector.wgsl" with { type: "text" };
import scalarTaps from "../../shaders/conv2d_taps_scalar.wgsl" with { type: "text" };
import vectorTaps from "../../shaders/conv2d_taps_vector.wgsl" with { type: "text" };
import shader from "../../shaders/conv2d_tiled.wgsl" with { type: "text" };
import turned from "../../shaders/conv2d_turned.wgsl" with { type: "text" };
import scalarWeights from "../../shaders/conv2d_weights_scalar.wgsl" with { type: "text" };
import vectorWeights from "../../shaders/conv2d_weights_vector.wgsl" with { type: "text" };
import { keepShaders, matrixPatch, withBlock } from "./block.ts";
import { fillHoles, type Lanes } from "./header.ts";
import type { Stores } from "./tile.ts";

/** Workgroup memory for each row of a block, where the pixel or the tap stands that it is about. */
export const ROW_BYTES = 16;

/** How a convolution finds the numbers of its left matrix in the images `source`. */
const leftIn = (source: string, lanes: Lanes) => fillHoles(lanes === 4 ? vectorTaps : scalarTaps, { SOURCE: source });

/** The shaders of a convolution by blocks, with tensors of so many lanes, whose result is written in one way. */
export const forwardShaders = (store?: Stores) =>
  keepShaders<"x" | "filters" | "y">((block, { x, filters, y }) =>
    withBlock(
      block,
      { name: "y", lanes: y, store },
      direction,
      leftIn("x", x),
      fillHoles(shader, { DIRECTION: "forwardDirection" }),
      matrixPatch("filters", filters),
      forward,
    )
  );

/** The shader of its gradient with respect to x. */
export const inputGradientShader = keepShaders<"gradient" | "filters" | "dx">((block, { gradient, filters, dx }) =>
  withBlock(
    block,
    { name: "dx", lanes: dx },
    direction,
    leftIn("gradient", gradient),
    fillHoles(shader, { DIRECTION: "inputDirection" }),
    filters === 4 ? vectorWeights : scalarWeights,
    turned,
  )
);

/** The shader of its gradient with respect to the filters. */
export const filterGradientShader = keepShaders<"x" | "gradient" | "partials">((block, { x, gradient, partials }) =>
  withBlock(
    block,
    { name: "partials", lanes: partials },
    x === 4 ? vectorSeen : scalarSeen,
    matrixPatch("gradient", gradient),
    filterGradient,
  )
);
