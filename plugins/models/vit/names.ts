import type { BlockNames } from "../encoder/block.ts";
import type { Variant } from "./options.ts";
import type { VitSizes } from "./sizes.ts";

/** Embeddings of any variant, below the model's prefix. */
export const EMBEDDINGS = {
  projection: "embeddings.patch_embeddings.projection",
  positions: "embeddings.position_embeddings",
} as const;

/** The norm behind the last block, below the model's prefix. */
export const LAST_NORM = "layernorm";

/** For each learned token in front of the patches, its name below the prefix and the linear layer that reads it. */
export const TOKENS: Readonly<Record<Variant, readonly { readonly token: string; readonly classifier: string }[]>> = {
  vit: [{ token: "embeddings.cls_token", classifier: "classifier" }],
  deit: [
    { token: "embeddings.cls_token", classifier: "cls_classifier" },
    { token: "embeddings.distillation_token", classifier: "distillation_classifier" },
  ],
};

/** What the names of a block begin with: `vit.encoder.layer.0.`. */
export function layerPrefix(variant: Variant, layer: number): string {
  return `${variant}.encoder.layer.${layer}.`;
}

/** The layers of a block under Hugging Face's names; that of fused queries, keys and values is our own. */
export function blockNames({ variant, qkv }: Pick<VitSizes, "variant" | "qkv">, layer: number): BlockNames {
  const prefix = layerPrefix(variant, layer);
  return {
    query: `${prefix}attention.attention.query`,
    key: `${prefix}attention.attention.key`,
    value: `${prefix}attention.attention.value`,
    ...(qkv === "fused" && { fused: `${prefix}attention.attention.qkv` }),
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
  const plain = foreign.replace(/^module\./, "");
  const name = /^(embeddings|encoder|layernorm|pooler)\./.test(plain) ? `${variant}.${plain}` : plain;
  return NOT_NEEDED.test(name) ? null : name;
}
