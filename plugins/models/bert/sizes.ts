import { UserError } from "../../../core/errors.ts";
import type { InputDescription, Task } from "../../../core/plugin/dataset.ts";
import { checkClassOrder } from "../encoder/config.ts";
import type { BertOptions, Variant } from "./options.ts";

/** Everything that an encoder and its head are built from. */
export interface BertSizes {
  readonly variant: Variant;
  readonly task: Task;
  /** Numbers that the head gives for an example, or for a token. */
  readonly outputs: number;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly ffn: number;
  readonly vocabulary: number;
  readonly positions: number;
  readonly types: number;
  readonly activation: "gelu" | "gelu_new" | "relu";
  readonly epsilon: number;
  readonly dropout: number;
  readonly attentionDropout: number;
  readonly headDropout: number;
  readonly padding: number;
  /** Whether a CRF stands behind a tagger's logits. */
  readonly crf: boolean;
  /** Parts of each class in the head. */
  readonly subclasses: number;
}

/** The first position's row: RoBERTa numbers positions from the row behind padding's. */
export function firstPosition({ variant, padding }: Pick<BertSizes, "variant" | "padding">): number {
  return variant === "roberta" ? padding + 1 : 0;
}

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
  const heads = options.heads ?? Math.max(1, Math.floor(width / 64));
  if (width % heads !== 0) {
    throw new UserError(`Cannot divide a width of ${width} among ${heads} heads: expected a multiple of the heads`);
  }
  const variant = options.variant ?? "bert";
  const roberta = variant === "roberta";
  const dropout = options.dropout ?? 0.1;
  const sizes: BertSizes = {
    variant,
    task,
    outputs: task === "regression" ? 1 : classes.length,
    layers,
    width,
    heads,
    ffn: options.ffn ?? 4 * width,
    vocabulary: options.vocabulary ?? text.vocabulary,
    positions: options.positions ?? (roberta ? 514 : 512),
    types: options.types ?? { bert: 2, distilbert: 0, roberta: 1 }[variant],
    activation: options.activation ?? "gelu",
    epsilon: options.epsilon ?? (roberta ? 1e-5 : 1e-12),
    dropout,
    attentionDropout: options.attentionDropout ?? 0.1,
    headDropout: options.headDropout ?? dropout,
    padding: options.padding ?? text.padding,
    crf: options.crf ?? false,
    subclasses: options.subclasses ?? 1,
  };
  checkClassOrder(options.labels, classes);
  if (variant === "distilbert" && (sizes.types > 0 || sizes.epsilon !== 1e-12)) {
    throw new UserError(
      `Cannot build a DistilBERT of ${sizes.types} segments and epsilon ${sizes.epsilon}: it has none, and 1e-12; variant ` +
        `bert takes others`,
    );
  }
  if (sizes.crf && task !== "tagging") {
    throw new UserError(`Cannot put a CRF behind a ${task}: crf is for tagging`);
  }
  if (sizes.subclasses > 1 && task !== "classification") {
    throw new UserError(`Cannot divide the classes of a ${task}: subclasses is for classification`);
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
