import type { ForwardCall, ParameterSpec } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { layersOf } from "../encoder/layers.ts";
import { linear, parameter } from "../encoder/parameters.ts";
import { EMBEDDINGS, learnedTokens } from "./names.ts";
import type { VitSizes } from "./sizes.ts";

/** The learned tokens, the positions, and the projection of patches, which may be over-parameterised. */
export function embeddingParameters(sizes: VitSizes): ParameterSpec[] {
  const { variant, width, patch, patches, image } = sizes;
  const tokens = learnedTokens(sizes);
  const [weight, bias] = linear(`${variant}.${EMBEDDINGS.projection}`, width, image[2], true);
  return [
    ...tokens.map(({ token }) => parameter(`${variant}.${token}`, [1, 1, width])),
    parameter(`${variant}.${EMBEDDINGS.positions}`, [1, tokens.length + patches, width]),
    { ...weight, shape: [...weight.shape, patch, patch] },
    bias,
  ];
}

/** The hidden states before the first block, `[batch, tokens + patches, width]`: patches row by row. */
export function embed(call: ForwardCall, sizes: VitSizes): Tensor {
  const { variant, width, patch, patches, epsilon, dropout } = sizes;
  const { ops, weights, batch: { image } } = call;
  const get = (name: string) => weights.get(`${variant}.${name}`);
  const [batch] = image.shape;
  // A linear map of each patch is a convolution that moves on by a whole patch.
  const projected = ops.conv2d(image, get(`${EMBEDDINGS.projection}.weight`), { stride: patch });
  const embedded = ops.add(ops.reshape(projected, [batch, patches, width]), get(`${EMBEDDINGS.projection}.bias`));
  const tokens = learnedTokens(sizes).map(({ token }) => ops.expand(get(token), [batch, 1, width]));
  const sequence = ops.concat([...tokens, embedded], { axis: 1 });
  return layersOf(call, epsilon).dropout(ops.add(sequence, get(EMBEDDINGS.positions)), dropout);
}
