import { UserError } from "../../../core/errors.ts";
import type { TokenizerFiles } from "./tokenizer.ts";

/** The special tokens of BERT, in the order in which a new vocabulary begins. */
export const SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;

/**
 * BERT's tokenizer over a vocabulary: words split at spaces and punctuation, and into the longest pieces that the
 * vocabulary has (WordPiece, Wu et al. 2016, arXiv 1609.08144); `[CLS] a [SEP] b [SEP]`.
 *
 * @param vocabulary the pieces in the order of their numbers; those within a word begin with `##`
 * @throws UserError if special tokens are missing
 */
export function bertTokenizer(vocabulary: readonly string[], lowercase: boolean): TokenizerFiles {
  const numbers = new Map(vocabulary.map((piece, index) => [piece, index]));
  const missing = SPECIAL_TOKENS.filter((token) => token !== "[MASK]" && !numbers.has(token));
  if (missing.length > 0) {
    throw new UserError(`Cannot make a BERT tokenizer of a vocabulary that lacks ${missing.join(", ")}`);
  }
  const special = SPECIAL_TOKENS.filter((token) => numbers.has(token));
  const entry = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
  const sequence = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
  const single = [entry("[CLS]", 0), sequence("A", 0), entry("[SEP]", 0)];
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: special.map((content) => ({
        id: numbers.get(content),
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase,
      },
      pre_tokenizer: { type: "BertPreTokenizer" },
      post_processor: {
        type: "TemplateProcessing",
        single,
        pair: [...single, sequence("B", 1), entry("[SEP]", 1)],
        special_tokens: Object.fromEntries(
          ["[CLS]", "[SEP]"].map((id) => [id, { id, ids: [numbers.get(id)], tokens: [id] }]),
        ),
      },
      decoder: { type: "WordPiece", prefix: "##", cleanup: true },
      model: {
        type: "WordPiece",
        unk_token: "[UNK]",
        continuing_subword_prefix: "##",
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(numbers),
      },
    },
    config: {
      tokenizer_class: "BertTokenizer",
      do_lower_case: lowercase,
      unk_token: "[UNK]",
      pad_token: "[PAD]",
      cls_token: "[CLS]",
      sep_token: "[SEP]",
      mask_token: "[MASK]",
    },
  };
}
