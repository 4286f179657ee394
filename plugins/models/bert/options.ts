import { bounded } from "../../../core/recipe/bounds.ts";
import type { OptionKit } from "../../../core/plugin/kit.ts";
import { type EncoderOptions, encoderOptions, MOST } from "../encoder/options.ts";

/** Encoders that compute alike, but for their embeddings and their heads, under names of their own. */
export const VARIANTS = ["bert", "distilbert", "roberta", "electra", "mpnet"] as const;
export type Variant = typeof VARIANTS[number];

/** The most rows of a table of embeddings, and of that of segments. */
export const MOST_ROWS = 2 ** 24;
export const MOST_TYPES = 2 ** 10;

/** Options of the `bert` plug-in; a config.json fills what is `null`. */
export interface BertOptions extends EncoderOptions {
  readonly variant: Variant | null;
  readonly vocabulary: number | null;
  readonly positions: number | null;
  readonly types: number | null;
  readonly embeddingWidth: number | null;
  readonly headDropout: number | null;
  readonly padding: number | null;
  readonly crf: boolean | null;
  readonly subclasses: number | null;
}

/** The schema of {@link BertOptions}. */
export function bertOptions({ z }: OptionKit) {
  const { config, sizes, block, labels } = encoderOptions({ z }, {
    epsilon: "1e-12, for roberta 1e-5",
    dropout: "0.1",
  });
  const count = bounded(z.int().min(1).max(MOST_ROWS), "each is one more row of a matrix").nullable().default(null);
  const rate = z.number().min(0).lt(1).nullable().default(null);
  return z.strictObject({
    config,
    variant: z.enum(VARIANTS).nullable().default(null).describe("Which family's names and heads; null: bert"),
    ...sizes,
    vocabulary: count.describe("Rows of the word embeddings; null: as many as the tokenizer has tokens"),
    positions: count.describe("Rows of the position embeddings; null: 512, for roberta and mpnet 514"),
    types: bounded(z.int().min(0).max(MOST_TYPES), "each is one more row of a matrix").nullable().default(null)
      .describe(
        "Rows of the segment embeddings; 0 for none, saved for transformers as a row of zeros unless it is a distilbert; " +
          "null: 2, for distilbert and mpnet 0, for roberta 1",
      ),
    embeddingWidth: bounded(z.int().min(1).max(MOST.width), "a matrix of more by more takes over 16 GiB").nullable()
      .default(null).describe(
        "Of an electra, numbers in an embedding, which a matrix brings to the width where they differ; null: as width",
      ),
    ...block,
    headDropout: rate.describe("Rate of dropout before the last layer; null: as dropout"),
    labels,
    padding: bounded(z.int().min(0).max(2 ** 24), "no tokenizer has so many tokens").nullable().default(null).describe(
      "Number of the padding token; null: the tokenizer's",
    ),
    crf: z.boolean().nullable().default(null).describe(
      "Whether a tagger chooses its tags together, by a linear-chain CRF over its logits; null: no",
    ),
    subclasses: count.describe("Parts that the head divides each class in, as the loss lelp wants it; null: 1"),
  });
}
