import type { BlockNames } from "../encoder/block.ts";
import { unwrapped } from "../wrappers.ts";
import type { Variant } from "./options.ts";

/** Embeddings of any variant, below the model's prefix. */
export const EMBEDDINGS = {
  words: "embeddings.word_embeddings",
  positions: "embeddings.position_embeddings",
  types: "embeddings.token_type_embeddings",
  norm: "embeddings.LayerNorm",
} as const;

/** What brings embeddings to the width of the blocks, below the model's prefix. */
export const PROJECTION = "embeddings_project";

/** The table of what is added to attention by distance, below the model's prefix: a number for each head. */
export const RELATIVE = "encoder.relative_attention_bias";

/** The prefix of a block's names: `bert.encoder.layer.0.`. */
export function layerPrefix(variant: Variant, layer: number): string {
  return `${variant}.${variant === "distilbert" ? "transformer" : "encoder"}.layer.${layer}.`;
}

const BERT: BlockNames = {
  query: "attention.self.query",
  key: "attention.self.key",
  value: "attention.self.value",
  attentionOutput: "attention.output.dense",
  attentionNorm: "attention.output.LayerNorm",
  up: "intermediate.dense",
  down: "output.dense",
  outputNorm: "output.LayerNorm",
};

const MPNET: BlockNames = {
  ...BERT,
  query: "attention.attn.q",
  key: "attention.attn.k",
  value: "attention.attn.v",
  attentionOutput: "attention.attn.o",
  attentionNorm: "attention.LayerNorm",
};

const DISTILBERT: BlockNames = {
  query: "attention.q_lin",
  key: "attention.k_lin",
  value: "attention.v_lin",
  attentionOutput: "attention.out_lin",
  attentionNorm: "sa_layer_norm",
  up: "ffn.lin1",
  down: "ffn.lin2",
  outputNorm: "output_layer_norm",
};

/** The layers of a block under Hugging Face's names. */
export function blockNames(variant: Variant, layer: number): BlockNames {
  const names = variant === "distilbert" ? DISTILBERT : variant === "mpnet" ? MPNET : BERT;
  const prefix = layerPrefix(variant, layer);
  const entries = Object.entries<string>(names as unknown as Record<string, string>);
  return Object.fromEntries(entries.map(([key, name]) => [key, prefix + name])) as unknown as BlockNames;
}

/** Heads of pre-training, and buffers: no part of a model for a task. */
const NOT_NEEDED = new RegExp(
  "^(cls|lm_head|vocab_transform|vocab_layer_norm|vocab_projector|discriminator_predictions|generator_predictions|" +
    "generator_lm_head)\\.|\\.position_ids$",
);

/**
 * The name here of a tensor in a Hugging Face file, or `null` for one that no model for a task needs. Old files call
 * the weight and bias of layer norm gamma and beta; those of a bare encoder lack the model's prefix.
 */
export function ownName(variant: Variant, foreign: string, pools: boolean): string | null {
  const plain = unwrapped(foreign).replace(/(?<=LayerNorm\.|layer_norm\.)gamma$/, "weight")
    .replace(/(?<=LayerNorm\.|layer_norm\.)beta$/, "bias");
  const name = /^(embeddings|embeddings_project|encoder|transformer|pooler)\./.test(plain)
    ? `${variant}.${plain}`
    : plain;
  if (NOT_NEEDED.test(name) || (!pools && name.startsWith(`${variant}.pooler.`))) return null;
  return name;
}
