import { UserError } from "../../../core/errors.ts";
import type { TokenizerFiles } from "./tokenizer.ts";

/** The special tokens of BERT, in the order in which a new vocabulary begins. */
export const SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;

/** What frames texts. */
interface Frame {
  /** The family's name, and how Hugging Face's class of its tokenizers begins. */
  readonly name: string;
  /** The special tokens, the mask last, which a vocabulary may lack. */
  readonly special: readonly string[];
  /** Of each kind of special tokens the one. */
  readonly names: Readonly<Record<string, string>>;
  /** Whether the mask takes the space before it. */
  readonly maskTakesSpace: boolean;
}

/** `[CLS] a [SEP] b [SEP]` */
export const BERT_FRAME: Frame = {
  name: "Bert",
  special: SPECIAL_TOKENS,
  names: { unk_token: "[UNK]", pad_token: "[PAD]", cls_token: "[CLS]", sep_token: "[SEP]", mask_token: "[MASK]" },
  maskTakesSpace: false,
};

/** `<s> a </s></s> b </s>` without segments, as RoBERTa has it. */
export const MPNET_FRAME: Frame = {
  name: "MPNet",
  special: ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"],
  names: {
    bos_token: "<s>",
    eos_token: "</s>",
    unk_token: "[UNK]",
    pad_token: "<pad>",
    cls_token: "<s>",
    sep_token: "</s>",
    mask_token: "<mask>",
  },
  maskTakesSpace: true,
};

/** What of a text counts: the keys of a `tokenizer_config.json` of BERT's tokenizer. */
export interface BertTokenizerOptions {
  /** Whether capitals count as small letters. */
  readonly lowercase: boolean;
  /** Whether accents are taken off letters; `null`: where capitals count as small letters. */
  readonly stripAccents?: boolean | null;
  /** Whether each Chinese character is a word. */
  readonly chineseCharacters?: boolean;
  /** Whether texts are cleaned and split at punctuation; without it they are split at spaces alone. */
  readonly basic?: boolean;
  /** Words, between spaces, that stay whole. */
  readonly neverSplit?: readonly string[];
  /** What frames texts; BERT's unless it is given. */
  readonly frame?: Frame;
}

/** Python's white space, by which texts are split that are not cleaned before. */
const SPACES = "\t\n\u000b\f\r\u001c-\u001f \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

/** What BERT takes for punctuation, in a regular expression's class. */
const PUNCTUATION = "\\p{P}!-/:-@\\[-`{-~";

/** A splitter that gives what a pattern finds. */
const found = (pattern: string) => ({ type: "Split", pattern: { Regex: pattern }, behavior: "Removed", invert: true });

/** A pattern of any of some words between spaces. */
function between(words: readonly string[]): string {
  const any = words.map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|\-/]/g, "\\$&")).join("|");
  return `(?<![^\\s])(?:${any})(?![^\\s])`;
}

/** How texts become words, with those that stay whole before the rest. */
function splitter(whole: readonly string[]): Record<string, unknown> {
  if (whole.length === 0) return { type: "BertPreTokenizer" };
  return found(`${between(whole)}|[^\\s${PUNCTUATION}]+|[${PUNCTUATION}]`);
}

/** A character of no meaning, of which no vocabulary makes a piece. */
const UNKNOWN = "\u{e0fff}";
/** The first of such characters that stand for words, as they are assigned to nothing and normalising leaves them. */
const FIRST_STAND_IN = 0xe1000;

/** What is put in the place of words between spaces. */
const replace = (words: readonly string[], content: string) =>
  words.length === 0 ? [] : [{ type: "Replace", pattern: { Regex: between(words) }, content }];

/**
 * Normalising that leaves some words whole, as the tokenizer in Python that knows such words does it: letters are
 * composed before it looks for them, and those that have no number are unknown, not pieces.
 */
function normaliserAround(
  words: readonly string[],
  numbers: ReadonlyMap<string, number>,
  normaliser: { readonly lowercase: boolean; readonly strip_accents: boolean | null },
): Record<string, unknown> {
  if (words.length === 0) return normaliser;
  const { lowercase, strip_accents: strip } = normaliser;
  const isChanged = (word: string) =>
    (lowercase && word !== word.toLowerCase()) || ((strip ?? lowercase) && /\p{Mn}/u.test(word.normalize("NFD")));
  const changed = words.filter(isChanged);
  const standIn = (index: number) => String.fromCodePoint(FIRST_STAND_IN + index);
  return {
    type: "Sequence",
    normalizers: [
      { type: "NFC" },
      ...changed.flatMap((word, index) => replace([word], standIn(index))),
      normaliser,
      ...changed.map((word, index) => ({ type: "Replace", pattern: { String: standIn(index) }, content: word })),
      ...replace(words.filter((word) => !numbers.has(word)), UNKNOWN),
    ],
  };
}

/**
 * BERT's tokenizer over a vocabulary: words split at spaces and punctuation, and into the longest pieces that the
 * vocabulary has (WordPiece, Wu et al. 2016, arXiv 1609.08144).
 *
 * @param vocabulary the pieces in the order of their numbers; those within a word begin with `##`
 * @throws UserError if special tokens are missing
 */
export function bertTokenizer(
  vocabulary: readonly string[],
  options: BertTokenizerOptions,
): TokenizerFiles {
  const { lowercase, stripAccents = null, chineseCharacters = true, basic = true, neverSplit = [] } = options;
  const { frame = BERT_FRAME } = options;
  const numbers = new Map(vocabulary.map((piece, index) => [piece, index]));
  const mask = frame.names.mask_token;
  const missing = frame.special.filter((token) => token !== mask && !numbers.has(token));
  if (missing.length > 0) {
    const name = frame.name.replace("Bert", "BERT");
    throw new UserError(`Cannot make a ${name} tokenizer of a vocabulary that lacks ${missing.join(", ")}`);
  }
  const special = frame.special.filter((token) => numbers.has(token));
  // Longest first, as the first that fits is taken.
  const whole = neverSplit.filter((word) => word.trim() !== "").sort((a, b) => b.length - a.length);
  const normaliser = {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: chineseCharacters,
    strip_accents: stripAccents,
    lowercase,
  };
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: special.map((content) => ({
        id: numbers.get(content),
        content,
        single_word: false,
        lstrip: content === mask && frame.maskTakesSpace,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: basic ? normaliserAround(whole, numbers, normaliser) : null,
      pre_tokenizer: basic ? splitter(whole) : found(`[^${SPACES}]+`),
      post_processor: frame === BERT_FRAME ? template(numbers) : {
        type: "RobertaProcessing",
        sep: [frame.names.sep_token, numbers.get(frame.names.sep_token)],
        cls: [frame.names.cls_token, numbers.get(frame.names.cls_token)],
        trim_offsets: true,
        add_prefix_space: false,
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
      // Hugging Face's class for them makes its own splitter; the one for any tokenizer.json takes that of the file.
      tokenizer_class: basic && neverSplit.length === 0 ? `${frame.name}Tokenizer` : "PreTrainedTokenizerFast",
      do_lower_case: lowercase,
      strip_accents: stripAccents,
      tokenize_chinese_chars: chineseCharacters,
      ...(!basic && { do_basic_tokenize: false }),
      ...(neverSplit.length > 0 && { never_split: neverSplit }),
      ...frame.names,
    },
  };
}

/** How BERT frames a text, and a pair of which the second is a segment of its own. */
function template(numbers: ReadonlyMap<string, number>): Record<string, unknown> {
  const entry = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
  const sequence = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
  const single = [entry("[CLS]", 0), sequence("A", 0), entry("[SEP]", 0)];
  return {
    type: "TemplateProcessing",
    single,
    pair: [...single, sequence("B", 1), entry("[SEP]", 1)],
    special_tokens: Object.fromEntries(
      ["[CLS]", "[SEP]"].map((id) => [id, { id, ids: [numbers.get(id)], tokens: [id] }]),
    ),
  };
}
