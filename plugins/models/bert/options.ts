import type { OptionKit } from "../../../core/plugin/kit.ts";

/** Encoders that compute alike, but for their embeddings and their heads, under names of their own. */
export const VARIANTS = ["bert", "distilbert", "roberta"] as const;
export type Variant = typeof VARIANTS[number];

/** Options of the `bert` plug-in; a config.json fills what is `null`. */
export interface BertOptions {
  readonly config: string | null;
  readonly variant: Variant | null;
  readonly layers: number | null;
  readonly width: number | null;
  readonly heads: number | null;
  readonly ffn: number | null;
  readonly vocabulary: number | null;
  readonly positions: number | null;
  readonly types: number | null;
  readonly activation: "gelu" | "gelu_new" | "relu" | null;
  readonly epsilon: number | null;
  readonly dropout: number | null;
  readonly attentionDropout: number | null;
  readonly headDropout: number | null;
  readonly padding: number | null;
  readonly labels: readonly string[] | null;
  readonly crf: boolean | null;
  readonly subclasses: number | null;
}

/** The schema of {@link BertOptions}. */
export function bertOptions({ z }: OptionKit) {
  const count = z.int().min(1).nullable().default(null);
  const rate = z.number().min(0).lt(1).nullable().default(null);
  return z.strictObject({
    config: z.string().min(1).nullable().default(null).describe(
      "Hugging Face config.json, or a folder with one, that gives what is null below; null: that beside the weights",
    ),
    variant: z.enum(VARIANTS).nullable().default(null).describe("Which family's names and heads; null: bert"),
    layers: count.describe("Number of encoder blocks"),
    width: count.describe("Numbers in a hidden state"),
    heads: count.describe("Attention heads; null: one for every 64 of the width"),
    ffn: count.describe("Width within the feed-forward networks; null: four times the width"),
    vocabulary: count.describe("Rows of the word embeddings; null: as many as the tokenizer has tokens"),
    positions: count.describe("Rows of the position embeddings; null: 512, for roberta 514"),
    types: z.int().min(0).nullable().default(null).describe(
      "Rows of the segment embeddings; 0 for none, saved for transformers as a row of zeros unless it is a distilbert; " +
        "null: 2, for distilbert 0, for roberta 1",
    ),
    activation: z.enum(["gelu", "gelu_new", "relu"]).nullable().default(null).describe(
      "Function within the feed-forward networks; gelu_new is its approximation by tanh; null: gelu",
    ),
    epsilon: z.number().positive().nullable().default(null).describe(
      "Added to the variance in layer norm; null: 1e-12, for roberta 1e-5",
    ),
    dropout: rate.describe("Rate of dropout of embeddings and of what each sub-layer adds; null: 0.1"),
    attentionDropout: rate.describe("Rate of dropout of attention probabilities; null: 0.1"),
    headDropout: rate.describe("Rate of dropout before the last layer; null: as dropout"),
    labels: z.array(z.string()).nullable().default(null).describe(
      "Names of the classes in the order of the logits, held against the data set's; null: taken as the data set's",
    ),
    padding: z.int().min(0).nullable().default(null).describe("Number of the padding token; null: the tokenizer's"),
    crf: z.boolean().nullable().default(null).describe(
      "Whether a tagger chooses its tags together, by a linear-chain CRF over its logits; null: no",
    ),
    subclasses: count.describe("Parts that the head divides each class in, as the loss lelp wants it; null: 1"),
  });
}
