import { defineModel } from "../../../core/plugin/model.ts";
import { encoderBlock } from "../encoder/block.ts";
import { encode } from "../encoder/encode.ts";
import { followEncoder } from "../encoder/options.ts";
import { blockParameters, innerWidth, withFfn } from "../encoder/parameters.ts";
import { embed, embeddingParameters } from "./embeddings.ts";
import { applyHead, classifierOf, headParameters } from "./head.ts";
import { fromHuggingFace, MODEL_TYPES, toHuggingFace } from "./hugging_face.ts";
import { bare, blockNames, layerPrefix, ownName } from "./names.ts";
import { type BertOptions, bertOptions } from "./options.ts";
import { OTHER_TYPES } from "./other_types.ts";
import { relativeBias, relativeParameters } from "./relative_positions.ts";
import { withoutSegments, withSegment } from "./segments.ts";
import { GIVEN_WITH_VECTORS, sentenceFiles, sentenceVectors } from "./sentences.ts";
import { epsilonOf, resolveSizes } from "./sizes.ts";

/**
 * Transformer encoders of text: BERT (Devlin et al. 2019, arXiv 1810.04805), DistilBERT, RoBERTa, ELECTRA (Clark et al.
 * 2020, arXiv 2003.10555) and MPNet (Song et al. 2020, arXiv 2004.09297) with Hugging Face's tensor names and
 * config.json, and so MiniLM, TinyBERT and whatever else has their form. Behind the encoder stands the head of the data
 * set's task: sequence classification, regression, or token classification. Where vectors of sentences are
 * wanted there is none: the hidden states of a text are pooled, and its folder is one of sentence-transformers.
 *
 * The inputs are `tokens`, `types` and `mask`, each `[batch, length]`. Outputs: `hidden` with the output of every
 * block, `features.embeddings` with what the first one gets, `attention` (probabilities, before dropout), `scores`
 * before the softmax, `relations` with each layer's queries, keys and values, and `pooled`, which the last linear layer
 * sees (of a tagger: the first token's hidden state). With `crf` a tagger also gives `transitions`, with `subclasses` a
 * classifier `subclassLogits`. Query, key, value and output of attention and both matrices of the feed-forward networks
 * may be over-parameterised, and of an ELECTRA the matrix that brings embeddings to the width.
 */
export const bert = defineModel<BertOptions>({
  name: "bert",
  description: "Transformer encoders of text (BERT, DistilBERT, RoBERTa, ELECTRA, MPNet), Hugging Face's names",
  source: "Devlin et al. 2019, arXiv 1810.04805",
  options: bertOptions,
  modelTypes: Object.keys(MODEL_TYPES),
  otherTypes: OTHER_TYPES,
  fromConfig: fromHuggingFace,
  build(options, data) {
    const sizes = resolveSizes(options, data);
    const { variant, width, ffn } = sizes;
    const vectors = sizes.task === "embedding";
    const numbers = Array.from({ length: sizes.layers }, (_, layer) => layer);
    const names = numbers.map((layer) => blockNames(variant, layer));
    const settings = { ...sizes, norm: "after" } as const;
    const head = headParameters(sizes);
    const pools = head.some(({ name }) => name.startsWith(`${variant}.pooler.`));
    return {
      ...(vectors && { gives: GIVEN_WITH_VECTORS, files: sentenceFiles(sizes, data) }),
      parameters: [
        ...embeddingParameters(sizes),
        ...names.flatMap((own) => blockParameters(own, width, ffn)),
        ...relativeParameters(sizes),
        ...head,
      ],
      textInputs: sizes.types > 1 ? ["tokens", "types", "mask"] : ["tokens", "mask"],
      classifier: classifierOf(sizes),
      innerWidths: names.map((own) => innerWidth(own, ffn)),
      layerPrefixes: numbers.map((layer) => layerPrefix(variant, layer)),
      head: head.map(({ name }) => name),
      forward: (call) => {
        const embeddings = call.ops.scope(() => embed(call, sizes));
        const { last, ...blocks } = encode(
          call,
          names,
          settings,
          embeddings,
          call.batch.mask,
          relativeBias(call, sizes),
        );
        const head = vectors ? sentenceVectors(call, sizes, last) : applyHead(call, sizes, last);
        return { ...head, features: { embeddings }, ...blocks };
      },
      runLayer: (call, layer, x) =>
        encoderBlock(call, names[layer], settings, x, call.batch.mask, relativeBias(call, sizes)),
      config: toHuggingFace(sizes, data),
      fromForeign: (name) => ownName(variant, name, pools),
      fromFile: (tensors) => withoutSegments(tensors, sizes),
      toFile: (tensors) => vectors ? bare(variant, withSegment(tensors, sizes)) : withSegment(tensors, sizes),
    };
  },
  withWidths: withFfn,
  // How vectors are made is not told by layers and sizes.
  fromTeacher: (options, teacher) => ({
    ...followEncoder(options, teacher, { variant: "bert", epsilon: epsilonOf(teacher.variant) }),
    pooling: options.pooling ?? teacher.pooling,
    normalise: options.normalise ?? teacher.normalise,
    saved: options.saved ?? teacher.saved,
  }),
});
