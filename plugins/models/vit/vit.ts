import { defineModel, type ForwardCall, type ModelOutputs } from "../../../core/plugin/model.ts";
import { type BlockNames, encoderBlock } from "../encoder/block.ts";
import { encode } from "../encoder/encode.ts";
import { fuse, unfuse } from "../encoder/fused.ts";
import { followEncoder } from "../encoder/options.ts";
import { blockParameters, glorot, innerWidth, norm, withFfn } from "../encoder/parameters.ts";
import { embed, embeddingParameters } from "./embeddings.ts";
import { applyHead, classifierOf, headParameters } from "./head.ts";
import { fromHuggingFace, toHuggingFace } from "./hugging_face.ts";
import { blockNames, LAST_NORM, layerPrefix, ownName, projections } from "./names.ts";
import { VARIANTS, type VitOptions, vitOptions } from "./options.ts";
import { resizePositions } from "./positions.ts";
import { resolveSizes, type VitSizes } from "./sizes.ts";

/**
 * Vision transformers: ViT (Dosovitskiy et al. 2021, arXiv 2010.11929) and DeiT with its distillation token (Touvron et
 * al. 2021, arXiv 2012.12877), with the tensor names and config.json of Hugging Face's `ViTForImageClassification`,
 * `DeiTForImageClassificationWithTeacher` and, without `distillationHead`, `DeiTForImageClassification`. Images may
 * have any size that is a multiple of the patch; position embeddings of a file that was trained for another size are
 * interpolated.
 *
 * Outputs: `hidden` with the output of every block, class token first, `features.embeddings` with what the first one
 * gets, `attention` (probabilities, before dropout), `scores` before the softmax, `relations` with each layer's
 * queries, keys and values, and `pooled`, the class token's state behind the last norm. The `logits` of a DeiT with two
 * heads are the mean of theirs in training, too, so that a loss trains both alike unless its option `head` names one of
 * `headLogits`: `class` or `distillation`.
 *
 * Query, key, value and output of attention, both matrices of the feed-forward networks and the projection of patches
 * may be over-parameterised; with `qkv: fused` the first three are one matrix, three again in files.
 */
export const vit = defineModel<VitOptions>({
  name: "vit",
  description: "Vision transformers (ViT, DeiT), Hugging Face's names",
  source: "Dosovitskiy et al. 2021, arXiv 2010.11929; Touvron et al. 2021, arXiv 2012.12877",
  options: vitOptions,
  modelTypes: VARIANTS,
  fromConfig: fromHuggingFace,
  build(options, data) {
    const sizes = resolveSizes(options, data);
    const { variant, width, ffn } = sizes;
    const numbers = Array.from({ length: sizes.layers }, (_, layer) => layer);
    const names = numbers.map((layer) => blockNames(sizes, layer));
    const head = headParameters(sizes);
    const fusable = numbers.map((layer) => projections(variant, layer));
    return {
      parameters: [
        ...embeddingParameters(sizes),
        ...names.flatMap((own) => blockParameters(own, width, ffn, glorot)),
        ...norm(`${variant}.${LAST_NORM}`, width),
        ...head,
      ],
      classifier: classifierOf(sizes),
      innerWidths: names.map((own) => innerWidth(own, ffn)),
      layerPrefixes: numbers.map((layer) => layerPrefix(variant, layer)),
      head: head.map(({ name }) => name),
      forward: (call) => forward(sizes, names, call),
      runLayer: (call, layer, x) => encoderBlock(call, names[layer], { ...sizes, norm: "before" }, x, null),
      config: toHuggingFace(sizes, data),
      fromForeign: (name) => ownName(variant, name),
      fromFile: (tensors, source) =>
        resizePositions((sizes.qkv === "fused" ? fuse : unfuse)(tensors, fusable), sizes, source),
      toFile: (tensors) => unfuse(tensors, fusable),
    };
  },
  withWidths: withFfn,
  fromTeacher: (options, teacher) => followEncoder(options, teacher, { variant: "vit", epsilon: 1e-12 }),
});

function forward(sizes: VitSizes, names: readonly BlockNames[], call: ForwardCall): ModelOutputs {
  const embeddings = call.ops.scope(() => embed(call, sizes));
  const { last, ...blocks } = encode(call, names, { ...sizes, norm: "before" }, embeddings, null);
  return { ...applyHead(call, sizes, last), features: { embeddings }, ...blocks };
}
