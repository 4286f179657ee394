import type { ForwardCall, ParameterSpec } from "../../../core/plugin/model.ts";
import { showShape, type Tensor } from "../../../core/tensor.ts";
import { layersOf } from "../encoder/layers.ts";
import { linear, norm, table } from "../encoder/parameters.ts";
import { EMBEDDINGS, PROJECTION } from "./names.ts";
import { type BertSizes, firstPosition, mostTokens } from "./sizes.ts";

/** The tables of words, positions and segments, the layer norm of their sum, and what brings it to the width. */
export function embeddingParameters(sizes: BertSizes): ParameterSpec[] {
  const { variant, vocabulary, positions, types, width, embeddingWidth } = sizes;
  return [
    { ...table(`${variant}.${EMBEDDINGS.words}`, vocabulary, embeddingWidth), byRows: true },
    table(`${variant}.${EMBEDDINGS.positions}`, positions, embeddingWidth),
    ...(types > 0 ? [table(`${variant}.${EMBEDDINGS.types}`, types, embeddingWidth)] : []),
    ...norm(`${variant}.${EMBEDDINGS.norm}`, embeddingWidth),
    ...(embeddingWidth === width ? [] : linear(`${variant}.${PROJECTION}`, width, embeddingWidth, true)),
  ];
}

/**
 * The hidden states before the first block, `[batch, length, width]`.
 *
 * @throws RangeError if there are more tokens than positions
 */
export function embed(call: ForwardCall, sizes: BertSizes): Tensor {
  const { ops, weights, batch: { tokens, types, mask } } = call;
  const { variant, width, embeddingWidth } = sizes;
  const nameOf = (part: keyof typeof EMBEDDINGS) => `${variant}.${EMBEDDINGS[part]}.weight`;
  const rows = (part: keyof typeof EMBEDDINGS) => weights.get(nameOf(part));
  const length = tokens.shape[1];
  if (length > mostTokens(sizes)) {
    throw new RangeError(
      `Cannot encode tokens of shape ${showShape(tokens.shape)}: the encoder has positions for ${mostTokens(sizes)}`,
    );
  }
  const take = (part: keyof typeof EMBEDDINGS, begin: number, length: number) =>
    ops.slice(rows(part), { axis: 0, begin, length });
  let position = take("positions", firstPosition(sizes), length); // [length, embedding width]
  if (firstPosition(sizes) > 0) {
    // Padding has a position of its own, whose row is the padding token's.
    const padding = take("positions", sizes.padding, 1);
    const seen = ops.reshape(mask, [...mask.shape, 1]);
    position = ops.add(padding, ops.multiply(seen, ops.subtract(position, padding)));
  }
  let sum = ops.add(ops.embedding(weights.rows(nameOf("words")), tokens), position);
  if (sizes.types === 1) sum = ops.add(sum, rows("types"));
  if (sizes.types > 1) sum = ops.add(sum, ops.embedding(rows("types"), types));
  const layers = layersOf(call, sizes.epsilon);
  const embeddings = layers.dropout(layers.norm(sum, `${variant}.${EMBEDDINGS.norm}`), sizes.dropout);
  return embeddingWidth === width ? embeddings : layers.linear(embeddings, `${variant}.${PROJECTION}`);
}
