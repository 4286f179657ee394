import { UserError } from "../../../core/errors.ts";
import { someOf } from "../../../core/recipe/words.ts";
import type { TokenizerFiles } from "./tokenizer.ts";

/** A special token as the files have it: its letters, or these and how it is found in a text. */
type SpecialToken = string | { readonly content: string; readonly lstrip?: boolean; readonly rstrip?: boolean };

/** The names by which files call special tokens, and what each is unless they say it. */
const SPECIAL_TOKENS = {
  bos_token: "<s>",
  eos_token: "</s>",
  unk_token: "<unk>",
  sep_token: "</s>",
  pad_token: "<pad>",
  cls_token: "<s>",
  mask_token: "<mask>",
} as const;

/** The JSON objects of a folder, empty where there is no such file, and the lines of `merges.txt`. */
export interface RobertaFiles {
  /** `vocab.json`: the numbers of the pieces. */
  readonly vocabulary: Readonly<Record<string, unknown>>;
  /** `merges.txt`: pairs of pieces, those to be merged first at the top. */
  readonly merges: readonly string[];
  /** `tokenizer_config.json` */
  readonly config: Readonly<Record<string, unknown>>;
  /** `special_tokens_map.json` */
  readonly specialTokens: Readonly<Record<string, unknown>>;
  /** `added_tokens.json`: the numbers of tokens beside the vocabulary. */
  readonly addedTokens: Readonly<Record<string, unknown>>;
}

/** Tokenizers that frame texts as RoBERTa's does. */
const CLASSES = /^(?:Roberta|Longformer|Bart|LED)Tokenizer(?:Fast)?$/;

/** One of `added_tokens` of a tokenizer.json. */
interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/**
 * RoBERTa's tokenizer (Liu et al. 2019, arXiv 1907.11692): byte-level BPE as of GPT-2, framed by `<s> a </s></s> b
 * </s>`. It is what transformers 5 makes of the same files; transformers 4 and a tokenizer.json that comes with such
 * models let the mask take the space before it, which these files must say.
 *
 * @param where the folder, as it stands in errors
 * @throws UserError for a tokenizer of another kind, and for files that do not fit together
 */
export function robertaTokenizer(files: RobertaFiles, where: string): TokenizerFiles {
  const { config, merges } = files;
  const refuse = (reason: string) => new UserError(`Cannot make the tokenizer of "${where}" of vocab.json: ${reason}`);
  const kind = config.tokenizer_class ?? "RobertaTokenizer";
  if (!CLASSES.test(String(kind)) || merges.some((line) => line.endsWith("</w>"))) {
    const what = CLASSES.test(String(kind)) ? "its merges.txt is not byte-level BPE" : `it is for a ${kind}`;
    throw refuse(`${what}, and RoBERTa's alone is built of these files; ${saveTokenizer(where)}`);
  }
  const numbers = new Map<string, number>();
  for (const [piece, number] of Object.entries(files.vocabulary)) {
    if (!isNumber(number)) throw refuse(`${JSON.stringify(piece)} has the number ${JSON.stringify(number)}`);
    numbers.set(piece, number);
  }
  const added = addedTokens(files, numbers, refuse);
  const ids = new Map([...numbers, ...added.map(({ content, id }) => [content, id] as const)]);
  const names = specialNames(files, refuse);
  const lacking = ["cls_token", "sep_token", "pad_token"].map((key) => names.get(key)!).filter((name) =>
    !ids.has(name)
  );
  if (lacking.length > 0) throw refuse(`it lacks ${someOf(lacking)}, which frame texts`);
  const prefix = flag(config, "add_prefix_space", false, refuse);
  const trim = flag(config, "trim_offsets", true, refuse);
  const framing = (key: string) => [names.get(key)!, ids.get(names.get(key)!)!];
  const byteLevel = { type: "ByteLevel", add_prefix_space: prefix, trim_offsets: true, use_regex: true };
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: {
        type: "RobertaProcessing",
        sep: framing("sep_token"),
        cls: framing("cls_token"),
        trim_offsets: trim,
        add_prefix_space: prefix,
      },
      decoder: { ...byteLevel, add_prefix_space: true },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: "",
        end_of_word_suffix: "",
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(numbers),
        merges: checkedMerges(merges, numbers, refuse),
      },
    },
    config: {
      tokenizer_class: "RobertaTokenizer",
      add_prefix_space: prefix,
      trim_offsets: trim,
      ...Object.fromEntries(names),
      added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [String(id), token])),
    },
  };
}

/** The line of Python that makes a folder's tokenizer.json, for messages. */
export function saveTokenizer(folder: string): string {
  const path = JSON.stringify(folder);
  return "this line of Python (pip install transformers) makes the tokenizer.json that is needed: from transformers " +
    `import AutoTokenizer; AutoTokenizer.from_pretrained(${path}).save_pretrained(${path})`;
}

type Refuse = (reason: string) => UserError;

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isToken = (value: unknown): value is SpecialToken =>
  typeof value === "string" || typeof (value as { content?: unknown } | null)?.content === "string";
const contentOf = (token: SpecialToken) => typeof token === "string" ? token : token.content;

function flag(config: RobertaFiles["config"], key: string, otherwise: boolean, refuse: Refuse): boolean {
  const value = config[key] ?? otherwise;
  if (typeof value === "boolean") return value;
  throw refuse(`${key} of tokenizer_config.json is ${JSON.stringify(value)}, expected true or false`);
}

/** Special tokens by their names. Files that number them in tokenizer_config.json say all of them there. */
function specialTokens({ config, specialTokens }: RobertaFiles, refuse: Refuse): Map<string, SpecialToken> {
  const stated = config.added_tokens_decoder ? config : { ...config, ...specialTokens };
  return new Map(
    Object.entries(SPECIAL_TOKENS).map(([key, usual]) => {
      const token = stated[key] ?? usual;
      if (!isToken(token)) throw refuse(`${key} is ${JSON.stringify(token)}, expected a text`);
      return [key, token];
    }),
  );
}

function specialNames(files: RobertaFiles, refuse: Refuse): Map<string, string> {
  return new Map([...specialTokens(files, refuse)].map(([key, token]) => [key, contentOf(token)]));
}

/** Tokens that are found in texts before anything else, in the order of their numbers. */
function addedTokens(files: RobertaFiles, numbers: ReadonlyMap<string, number>, refuse: Refuse): AddedToken[] {
  const { config, specialTokens: map, addedTokens } = files;
  const usual = { single_word: false, lstrip: false, rstrip: false };
  const found = new Map<string, AddedToken>();
  for (const [id, token] of Object.entries((config.added_tokens_decoder ?? {}) as Record<string, unknown>)) {
    if (!isNumber(Number(id)) || !isToken(token)) throw refuse(`added_tokens_decoder has no token at ${id}`);
    const content = contentOf(token);
    found.set(content, { normalized: false, special: false, ...usual, ...token as object, id: Number(id), content });
  }
  for (const [content, id] of Object.entries(addedTokens)) {
    if (!isNumber(id)) throw refuse(`added_tokens.json numbers ${JSON.stringify(content)} as ${JSON.stringify(id)}`);
    if (!found.has(content)) found.set(content, { id, content, ...usual, normalized: true, special: false });
  }
  const more = [config.additional_special_tokens, map.additional_special_tokens, config.extra_special_tokens]
    .flatMap((list) => Array.isArray(list) ? list.filter(isToken) : []);
  for (const token of [...specialTokens(files, refuse).values(), ...more]) {
    const content = contentOf(token);
    const before = found.get(content);
    const id = before?.id ?? numbers.get(content);
    // What has no number, the model has no row for.
    if (id === undefined) continue;
    const own = typeof token === "string" ? {} : { lstrip: token.lstrip ?? false, rstrip: token.rstrip ?? false };
    found.set(content, { ...usual, ...before, ...own, id, content, normalized: false, special: true });
  }
  return [...found.values()].sort((a, b) => a.id - b.id);
}

/** The pairs, each of pieces of the vocabulary that make another. */
function checkedMerges(lines: readonly string[], numbers: ReadonlyMap<string, number>, refuse: Refuse): string[] {
  return lines.flatMap((line, index) => {
    if (line === "" || (index === 0 && line.startsWith("#version"))) return [];
    const parts = line.split(" ");
    const pieces = [...parts, parts.join("")];
    if (parts.length === 2 && pieces.every((piece) => numbers.has(piece))) return [line];
    throw refuse(`line ${index + 1} of merges.txt, ${JSON.stringify(line)}, is no pair of pieces that make another`);
  });
}
