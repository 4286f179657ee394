import { bounded } from "../../../core/recipe/bounds.ts";
import type { OptionKit } from "../../../core/plugin/kit.ts";
import { ON_BAD, type OnBad } from "./bad_examples.ts";

/** How texts become tokens. */
export interface TextOptions {
  tokenizer: string | null;
  vocabularySize: number;
  lowercase: boolean;
  maxLength: number;
}

/** What every data set of texts has. */
export interface TextSetOptions extends TextOptions {
  onBad: OnBad;
}

/** The schema's part for {@link TextSetOptions}. */
export function textOptions({ z }: OptionKit) {
  return {
    tokenizer: z.string().min(1).nullable().default(null).describe(
      "Tokenizer: a Hugging Face folder, a tokenizer.json or a vocab.txt; null: that of the folder which the student " +
        "starts from, or else a vocabulary is trained on the training texts",
    ),
    vocabularySize: bounded(z.int().min(10).max(2 ** 20), "each piece is a row of a matrix")
      .default(8000).describe("Most pieces of a vocabulary that is trained"),
    lowercase: z.boolean().default(true).describe(
      "Whether capitals count as small letters; for vocab.txt and for a vocabulary that is trained",
    ),
    maxLength: bounded(z.int().min(3).max(2 ** 16), "attention grows with the square")
      .default(128).describe(
        "Most tokens of an example, special ones included; longer ones are cut",
      ),
    onBad: z.enum(ON_BAD).default("refuse").describe(
      "What is done about examples that lack their text, or a label that they must have: refuse the first, or skip them " +
        "all, and say how many and the first of them",
    ),
  };
}
