import { UserError } from "../../../core/errors.ts";
import type { InputDescription, Task } from "../../../core/plugin/dataset.ts";
import { type EncoderSizes, resolveEncoder } from "../encoder/options.ts";
import { checkVariant } from "./check_variant.ts";
import { type BertOptions, type Pooling, POOLINGS, type Variant } from "./options.ts";

/** Everything that an encoder and its head are built from. */
export interface BertSizes extends EncoderSizes {
  readonly variant: Variant;
  readonly task: Task;
  /** Numbers that the head gives for an example, or for a token. */
  readonly outputs: number;
  readonly vocabulary: number;
  readonly positions: number;
  readonly types: number;
  /** Numbers in an embedding; other than the width, a matrix brings it there. */
  readonly embeddingWidth: number;
  readonly headDropout: number;
  readonly padding: number;
  /** Whether a CRF stands behind a tagger's logits. */
  readonly crf: boolean;
  /** Parts of each class in the head. */
  readonly subclasses: number;
  /** Of vectors of sentences. */
  readonly pooling: Pooling;
  /** Whether these have the length 1. */
  readonly normalise: boolean;
}

/** The first position's row: RoBERTa and MPNet number positions from the row behind padding's. */
export function firstPosition({ variant, padding }: Pick<BertSizes, "variant" | "padding">): number {
  return variant === "roberta" || variant === "mpnet" ? padding + 1 : 0;
}

/** What layer norm adds to the variance where nothing says it. */
export const epsilonOf = (variant: Variant | null): number => variant === "roberta" ? 1e-5 : 1e-12;

/** The most tokens that fit. */
export function mostTokens(sizes: Pick<BertSizes, "variant" | "padding" | "positions">): number {
  return sizes.positions - firstPosition(sizes);
}

/** Options with nothing left open. @throws UserError if they do not fit each other, or the data */
export function resolveSizes(options: BertOptions, { text, task, classes }: InputDescription): BertSizes {
  if (!text) throw new UserError("Cannot build a text encoder for a data set without text");
  const { layers, width } = options;
  if (layers === null || width === null) {
    throw new UserError(
      "Cannot build an encoder of unknown size: expected layers and width, or weights or config in a folder that has a " +
        "Hugging Face config.json",
    );
  }
  const variant = options.variant ?? "bert";
  const encoder = resolveEncoder({ ...options, layers, width }, classes, {
    epsilon: epsilonOf(variant),
    dropout: 0.1,
  });
  const sizes: BertSizes = {
    ...encoder,
    variant,
    task,
    outputs: task === "regression" ? 1 : classes.length, // none for vectors
    vocabulary: options.vocabulary ?? text.vocabulary,
    positions: options.positions ?? (variant === "roberta" || variant === "mpnet" ? 514 : 512),
    types: options.types ?? { bert: 2, distilbert: 0, roberta: 1, electra: 2, mpnet: 0 }[variant],
    embeddingWidth: options.embeddingWidth ?? width,
    headDropout: options.headDropout ?? encoder.dropout,
    padding: options.padding ?? text.padding,
    crf: options.crf ?? false,
    subclasses: options.subclasses ?? 1,
    ...poolingOf(options, task),
  };
  checkVariant(sizes, text);
  if (sizes.crf && task !== "tagging") {
    throw new UserError(`Cannot put a CRF behind ${task}: crf is for tagging`);
  }
  if (sizes.subclasses > 1 && task !== "classification") {
    throw new UserError(`Cannot divide the classes of ${task}: subclasses is for classification`);
  }
  if (sizes.vocabulary < text.vocabulary) {
    throw new UserError(
      `Cannot embed ${text.vocabulary} different tokens in ${sizes.vocabulary} rows: the tokenizer is another model's`,
    );
  }
  if (mostTokens(sizes) < text.maxLength) {
    throw new UserError(
      `Cannot take ${text.maxLength} tokens as the encoder has positions for ${mostTokens(sizes)}: shorten the text`,
    );
  }
  return sizes;
}

/** How vectors are made, by the recipe, or by the files that were saved with the model. */
function poolingOf(
  { pooling, normalise, saved }: Pick<BertOptions, "pooling" | "normalise" | "saved">,
  task: Task,
): Pick<BertSizes, "pooling" | "normalise"> {
  const plain = { pooling: pooling ?? "mean", normalise: normalise ?? false };
  if (task !== "embedding") {
    const stated = pooling !== null ? "pooling" : normalise !== null ? "normalise" : null;
    if (stated === null) return plain;
    throw new UserError(`Cannot use ${stated} for ${task}: it is for vectors of sentences, task: embedding`);
  }
  if (!saved) return plain;
  if (saved.change !== null) {
    throw new UserError(
      `Cannot make vectors as the model's files say, of texts ${saved.change}: change the texts of the data that way, and ` +
        "take the key out of a copy of the file",
    );
  }
  const known = POOLINGS.find((name) => name === (pooling ?? saved.pooling));
  if (known) return { pooling: known, normalise: normalise ?? saved.normalise };
  throw new UserError(
    `Cannot make vectors of sentences as the model's modules.json says, by ${saved.pooling}: expected a module Transformer, ` +
      `one Pooling by ${POOLINGS.join(" or ")}, and Normalize or nothing`,
  );
}
