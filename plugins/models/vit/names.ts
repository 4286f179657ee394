import type { BlockNames } from "../encoder/block.ts";
import type { Projections } from "../encoder/fused.ts";
import { unwrapped } from "../wrappers.ts";
import type { Variant } from "./options.ts";
import type { VitSizes } from "./sizes.ts";

/** Embeddings of any variant, below the model's prefix. */
export const EMBEDDINGS = {
  projection: "embeddings.patch_embeddings.projection",
  positions: "embeddings.position_embeddings",
} as const;

/** The norm behind the last block, below the model's prefix. */
export const LAST_NORM = "layernorm";

/** A learned token in front of the patches. */
interface LearnedToken {
  /** Its name below the prefix. */
  readonly token: string;
  /** The linear layer that reads it; `null` for a token that the patches alone attend to. */
  readonly classifier: string | null;
  /** The name by which losses know this layer's logits. */
  readonly head: string;
}

/** The learned tokens in their order. */
export function learnedTokens(
  { variant, distillationHead: both }: Pick<VitSizes, "variant" | "distillationHead">,
): readonly LearnedToken[] {
  const own: LearnedToken = {
    token: "embeddings.cls_token",
    classifier: both ? "cls_classifier" : "classifier",
    head: "class",
  };
  if (variant === "vit") return [own];
  const classifier = both ? "distillation_classifier" : null;
  return [own, { token: "embeddings.distillation_token", classifier, head: "distillation" }];
}

/** The prefix of a block's names: `vit.encoder.layer.0.`. */
export function layerPrefix(variant: Variant, layer: number): string {
  return `${variant}.encoder.layer.${layer}.`;
}

/** The layers that make a block's queries, keys and values; the name of the fused one is our own. */
export function projections(variant: Variant, layer: number): Projections {
  const prefix = `${layerPrefix(variant, layer)}attention.attention.`;
  return { query: `${prefix}query`, key: `${prefix}key`, value: `${prefix}value`, fused: `${prefix}qkv` };
}

/** The layers of a block under Hugging Face's names. */
export function blockNames({ variant, qkv }: Pick<VitSizes, "variant" | "qkv">, layer: number): BlockNames {
  const prefix = layerPrefix(variant, layer);
  const { fused, ...split } = projections(variant, layer);
  return {
    ...split,
    ...(qkv === "fused" && { fused }),
    attentionOutput: `${prefix}attention.output.dense`,
    attentionNorm: `${prefix}layernorm_before`,
    up: `${prefix}intermediate.dense`,
    down: `${prefix}output.dense`,
    outputNorm: `${prefix}layernorm_after`,
  };
}

/** The pooler, and what pre-training on masked images adds: no part of a classifier. */
const NOT_NEEDED = /^(vit|deit)\.(pooler\.|embeddings\.mask_token$)|^decoder\./;

/**
 * The name here of a tensor in a Hugging Face file, or `null` for one that no classifier needs. Those of a bare encoder
 * lack the model's prefix.
 */
export function ownName(variant: Variant, foreign: string): string | null {
  const plain = unwrapped(foreign);
  const name = /^(embeddings|encoder|layernorm|pooler)\./.test(plain) ? `${variant}.${plain}` : plain;
  return NOT_NEEDED.test(name) ? null : name;
}
