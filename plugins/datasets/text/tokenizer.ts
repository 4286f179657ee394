import { Tokenizer } from "@huggingface/tokenizers";
import { UserError } from "../../../core/errors.ts";
import { isJsonObject, showJson } from "../../../core/json.ts";
import { type Splitter, withUnicodeSpaces } from "./byte_level.ts";
import { withPrefixSpace } from "./prefix_space.ts";

/** The tokens of one example. */
export interface EncodedText {
  /** Numbers of the tokens, special ones included. */
  readonly tokens: Uint32Array;
  /** The segment of each: 1 from the second text on, where the tokenizer says so. */
  readonly types: Uint8Array;
  /** Whether there were more tokens. */
  readonly cut?: boolean;
  /** Of words that were split already how many are left out. */
  readonly wordsCut?: number;
}

/** Two files make a tokenizer; `tokenizer_config.json` may be missing. */
export interface TokenizerFiles {
  readonly tokenizer: Record<string, unknown>;
  readonly config: Record<string, unknown>;
}

/** Chinese characters beyond 16 bits, which the library does not take for any; the ranges are the original's. */
const FAR_CHINESE = /[\u{20000}-\u{2A6DF}\u{2A700}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;

/** A normaliser in a tokenizer.json. */
export interface Normaliser {
  readonly type?: string;
  readonly lowercase?: boolean;
  readonly handle_chinese_chars?: boolean;
  readonly normalizers?: readonly Normaliser[];
}

/** What is done to a text before the library normalises it: tokens become those of Hugging Face's original in Rust. */
export function preparation(normaliser: Normaliser | null | undefined): (text: string) => string {
  const all = [normaliser, ...normaliser?.normalizers ?? []].filter((own) => own?.type === "BertNormalizer");
  const [lowercase, chinese] = [all.some((own) => own?.lowercase), all.some((own) => own?.handle_chinese_chars)];
  return (text) => {
    const spaced = chinese ? text.replace(FAR_CHINESE, " $& ") : text;
    // JavaScript has another small letter for a capital sigma that ends a word.
    return lowercase ? spaced.replaceAll("Σ", "σ") : spaced;
  };
}

/** Turns text into numbers of tokens, with Hugging Face's tokenizers, and cuts what is too long. */
export class TextTokenizer {
  /** Tokens are numbered from 0 up to but not this. */
  readonly vocabulary: number;
  /** The number of the padding token; 0 where there is none, as padding is masked. */
  readonly padding: number;
  readonly #tokenizer: Tokenizer;
  readonly #files: TokenizerFiles;
  /** What takes words one by one, once there are some. */
  #ofWords: Tokenizer | null = null;
  readonly #prepared: (text: string) => string;
  /** Whether a second text is a segment of its own; with RoBERTa's frame it is not, which the library overlooks. */
  readonly #segments: boolean;
  /** The special tokens before and after a single text. */
  readonly #frame: readonly [before: readonly number[], after: readonly number[]];
  /** The number of the token of what has no other; `null` where there is none. */
  readonly #unknown: number | null;

  /**
   * @param name what the recipe names, for messages
   * @throws UserError for files that the library does not understand
   */
  constructor(
    files: TokenizerFiles,
    private readonly maxLength: number,
    private readonly name: string | null = null,
  ) {
    const { tokenizer, config } = files;
    this.#files = files;
    this.vocabulary = vocabularySize(tokenizer);
    this.#tokenizer = this.#opened(files);
    this.#prepared = preparation(tokenizer.normalizer as Normaliser | null | undefined);
    const letter = this.#bare("a");
    // A pair of letters, as the library takes an empty second text for none.
    const special = this.#encode("a", { text_pair: "a" }).ids.length - 2 * letter.length;
    if (maxLength <= special) {
      const whose = name === null ? "" : ` of "${name}"`;
      throw new UserError(
        `Cannot cut texts to ${maxLength} tokens: ${special} special tokens${whose} leave no room for words`,
      );
    }
    const framed = this.#encode("a", {}).ids;
    const start = this.#saying(() => find(framed, letter, 0));
    this.#frame = [framed.slice(0, start), framed.slice(start + letter.length)];
    const { type } = (tokenizer.post_processor ?? {}) as { type?: string };
    this.#segments = type !== "RobertaProcessing";
    const numberOf = (token: string) => this.#tokenizer.token_to_id(token) ?? null;
    this.padding = paddingToken({ tokenizer, config }, numberOf);
    this.#unknown = unknownToken({ tokenizer, config }, numberOf);
  }

  /**
   * The tokens of a text, or of a pair of texts, at most `maxLength` of them: words are taken off the end of the longer
   * text until they fit, special tokens stay.
   */
  encode(text: string, pair: string | null = null): EncodedText {
    const { ids, token_type_ids } = this.#encode(this.#prepared(text), {
      text_pair: pair === null ? null : this.#prepared(pair),
      return_token_type_ids: true,
    });
    const types = this.#segments ? token_type_ids : ids.map(() => 0);
    if (types?.length !== ids.length) throw this.#refusal("it does not say which segment each token is of");
    if (ids.length <= this.maxLength) return { tokens: Uint32Array.from(ids), types: Uint8Array.from(types) };
    const after = this.#frame[1].length;
    if (pair === null) {
      const keep = (_: number, place: number) => place < this.maxLength - after || place >= ids.length - after;
      return { tokens: Uint32Array.from(ids.filter(keep)), types: Uint8Array.from(types.filter(keep)), cut: true };
    }
    const [first, second] = [this.#bare(text), this.#bare(pair)];
    const room = this.maxLength - (ids.length - first.length - second.length);
    const [keptFirst, keptSecond] = keptLengths(first.length, second.length, room);
    const start = find(ids, first, 0);
    const next = find(ids, second, start + first.length);
    const keep = (_: number, place: number) =>
      !(place >= start + keptFirst && place < start + first.length) &&
      !(place >= next + keptSecond && place < next + second.length);
    return { tokens: Uint32Array.from(ids.filter(keep)), types: Uint8Array.from(types.filter(keep)), cut: true };
  }

  /**
   * The tokens of words that are split already, as of a tagged sentence: how many each has, at least one. Words that do
   * not fit are left out from the end. A word is taken as within a text, with the space before it where that counts.
   *
   * @throws UserError if nothing is left of a word, and there is no token for the unknown
   */
  encodeWords(words: readonly string[]): EncodedText & { readonly wordOf: Int32Array } {
    const [start, end] = this.#frame;
    const tokens = [...start];
    const wordOf = start.map(() => -1);
    let taken = 0;
    for (const [index, word] of words.entries()) {
      const own = this.#word(word);
      if (tokens.length + own.length + end.length > this.maxLength) break;
      tokens.push(...own);
      wordOf.push(...own.map(() => index));
      taken++;
    }
    tokens.push(...end);
    wordOf.push(...end.map(() => -1));
    return {
      tokens: Uint32Array.from(tokens),
      types: new Uint8Array(tokens.length),
      wordOf: Int32Array.from(wordOf),
      ...(taken < words.length && { cut: true, wordsCut: words.length - taken }),
    };
  }

  /** The tokens of a word: the unknown one where nothing is left, as of a zero-width space, so that tags keep place. */
  #word(word: string): number[] {
    this.#ofWords ??= this.#openedForWords();
    const tokens = this.#encode(this.#prepared(word), { add_special_tokens: false }, this.#ofWords).ids;
    if (tokens.length > 0) return tokens;
    if (this.#unknown !== null) return [this.#unknown];
    throw this.#refusal(`it leaves nothing of the word ${showJson(word)}, and has no token for the unknown`);
  }

  #bare(text: string): number[] {
    return this.#encode(this.#prepared(text), { add_special_tokens: false }).ids;
  }

  #openedForWords(): Tokenizer {
    const files = withPrefixSpace(this.#files);
    return files === this.#files ? this.#tokenizer : this.#opened(files);
  }

  #opened({ tokenizer, config }: TokenizerFiles): Tokenizer {
    const splitter = withUnicodeSpaces(tokenizer.pre_tokenizer as Splitter | null | undefined);
    return this.#saying(() => new Tokenizer({ ...tokenizer, pre_tokenizer: splitter }, config));
  }

  /** The library's tokens. @throws UserError if it stumbles, or gives what is no number of a token */
  #encode(
    text: string,
    options: Parameters<Tokenizer["encode"]>[1],
    tokenizer = this.#tokenizer,
  ): ReturnType<Tokenizer["encode"]> {
    const encoded = this.#saying(() => tokenizer.encode(text, options));
    const wrong = encoded.ids.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < this.vocabulary));
    if (wrong < 0) return encoded;
    throw this.#refusal(`it has no number for ${showJson(encoded.tokens[wrong])}`);
  }

  #saying<Result>(body: () => Result): Result {
    try {
      return body();
    } catch (error) {
      const { message } = error as Error;
      // The runtime's own words mean that a part which the library counts on is another.
      const isOurs = !(error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) &&
        !/undefined|null|NaN|\[object/.test(message);
      throw this.#refusal(
        isOurs ? message.slice(0, 300) : "a part of it is missing or damaged, or of a kind that is not known here",
      );
    }
  }

  #refusal(reason: string): UserError {
    return new UserError(`Cannot use the tokenizer${this.name === null ? "" : ` "${this.name}"`}: ${reason}`);
  }
}

/** Where `part` begins in `whole`, from a place on. */
function find(whole: readonly number[], part: readonly number[], from: number): number {
  for (let start = from; start + part.length <= whole.length; start++) {
    if (part.every((token, index) => whole[start + index] === token)) return start;
  }
  throw new Error("Cannot find a text's tokens among those with special tokens");
}

/**
 * How much of two texts stays when `room` tokens are left: the longer one is cut first. Where both are cut, an odd
 * token goes to the longer one, or the second of equal ones, as in Hugging Face's tokenizers.
 */
export function keptLengths(first: number, second: number, room: number): [number, number] {
  const shorter = Math.min(first, second, Math.floor(room / 2));
  const longer = Math.min(Math.max(first, second), room - shorter);
  return first > second ? [longer, shorter] : [shorter, longer];
}

/**
 * The number of the padding token, as the files say it: a vocabulary may have others' as well, as MPNet's has BERT's.
 *
 * @returns 0 where there is none, as padding is masked
 */
function paddingToken({ tokenizer, config }: TokenizerFiles, numberOf: NumberOfToken): number {
  const padding = isJsonObject(tokenizer.padding) ? tokenizer.padding.pad_token : undefined;
  const added = ((tokenizer.added_tokens ?? []) as { content: string }[]).map(({ content }) => content);
  const usual = ["[PAD]", "<pad>"];
  const named = [config.pad_token, padding, ...usual.filter((token) => added.includes(token)), ...usual];
  return firstNumber(named, numberOf) ?? 0;
}

/** The number of the token of what has no other, as the files say it; `null` where there is none. */
function unknownToken({ tokenizer, config }: TokenizerFiles, numberOf: NumberOfToken): number | null {
  const model = tokenizer.model as { unk_token?: unknown; unk_id?: unknown } | undefined;
  // A Unigram model says the number itself.
  if (Number.isInteger(model?.unk_id)) return model!.unk_id as number;
  return firstNumber([model?.unk_token, config.unk_token, "[UNK]", "<unk>"], numberOf);
}

/** The number of a token; `null` for one that there is not. */
type NumberOfToken = (token: string) => number | null;

/** The number of the first of some tokens, as files name them, that there is. */
function firstNumber(named: readonly unknown[], numberOf: NumberOfToken): number | null {
  const tokens = named.map((token) => isJsonObject(token) ? token.content : token);
  return tokens.flatMap((token) => typeof token === "string" ? numberOf(token) ?? [] : [])[0] ?? null;
}

/** One more than the largest number of a token. */
function vocabularySize({ model, added_tokens: added }: Record<string, unknown>): number {
  const vocabulary = (model as { vocab?: unknown } | undefined)?.vocab;
  const numbers = Array.isArray(vocabulary)
    ? [vocabulary.length - 1]
    : Object.values((vocabulary ?? {}) as Record<string, number>);
  const extra = ((added ?? []) as { id: number }[]).map(({ id }) => id);
  return 1 + [...numbers, ...extra].reduce((most, number) => Math.max(most, number), 0);
}
