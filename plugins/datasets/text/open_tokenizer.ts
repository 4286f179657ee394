import { UserError } from "../../../core/errors.ts";
import { isMissing } from "../../../core/files.ts";
import { foreignKind } from "../../../core/foreign_bytes.ts";
import { isJsonObject, parseJson, showJson } from "../../../core/json.ts";
import { dirname, join } from "../../../core/paths.ts";
import type { DatasetSetup } from "../../../core/plugin/dataset.ts";
import { BERT_FRAME, bertTokenizer, type BertTokenizerOptions, MPNET_FRAME } from "./bert_tokenizer.ts";
import { checkTokenizer } from "./check_tokenizer.ts";
import { decodeText } from "./decode_text.ts";
import { withPrefixSpace } from "./prefix_space.ts";
import { robertaTokenizer, saveTokenizer } from "./roberta_tokenizer.ts";
import { TextTokenizer, type TokenizerFiles } from "./tokenizer.ts";
import type { TextOptions } from "./text_options.ts";
import { trainVocabulary } from "./train_vocabulary.ts";
import { countWords } from "./word_counts.ts";

/** A tokenizer, and the files to save beside a model that was trained with it. */
export interface OpenedTokenizer {
  readonly tokenizer: TextTokenizer;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/**
 * The tokenizer that the options name, else that of the model that the student starts from, or a new one for some
 * texts.
 *
 * @param ofWords whether it takes words one by one, as of tagged sentences: its files say so
 * @throws UserError for files that are missing or not a tokenizer's
 */
export async function openTokenizer(
  options: TextOptions,
  trainingTexts: Iterable<string>,
  { readFile, tokenizer: otherwise }: Pick<DatasetSetup, "readFile" | "tokenizer">,
  ofWords = false,
): Promise<OpenedTokenizer> {
  const { lowercase, maxLength, vocabularySize } = options;
  const name = options.tokenizer ?? otherwise ?? null;
  const found = name === null
    ? bertTokenizer(trainVocabulary(countWords(trainingTexts, lowercase), vocabularySize), { lowercase })
    : await readTokenizer(name, lowercase, readFile);
  const files = ofWords ? withPrefixSpace(found) : found;
  return { tokenizer: new TextTokenizer(files, maxLength, name), files: fileBytes(files) };
}

async function readTokenizer(
  name: string,
  lowercase: boolean,
  readFile: DatasetSetup["readFile"],
): Promise<TokenizerFiles> {
  if (name.endsWith(".txt")) return readVocabulary(name, { lowercase }, readFile);
  if (name.endsWith(".json")) return { tokenizer: checked(await readJson(name, readFile), name), config: {} };
  const optional = <Read>(file: string, read: (file: string, readFile: DatasetSetup["readFile"]) => Promise<Read>) =>
    ifThere(() => read(join(name, file), readFile));
  const [tokenizer, config] = [
    await optional("tokenizer.json", readJson),
    await optional("tokenizer_config.json", readJson) ?? {},
  ];
  if (tokenizer) return { tokenizer: checked(tokenizer, join(name, "tokenizer.json")), config };
  const [vocabulary, merges] = [await optional("vocab.json", readJson), await optional("merges.txt", readLines)];
  if (vocabulary && merges) {
    const specialTokens = await optional("special_tokens_map.json", readJson) ?? {};
    const addedTokens = await optional("added_tokens.json", readJson) ?? {};
    return robertaTokenizer({ vocabulary, merges, config, specialTokens, addedTokens }, name);
  }
  for (const file of SENTENCEPIECE) {
    if (await ifThere(() => readFile(join(name, file), "the tokenizer")) === null) continue;
    throw new UserError(`Cannot read the tokenizer in "${name}" as ${file} is SentencePiece's: ${saveTokenizer(name)}`);
  }
  const file = join(name, "tokenizer_config.json");
  try {
    return await readVocabulary(join(name, "vocab.txt"), bertOptions(config, lowercase, file), readFile);
  } catch (error) {
    if (!(error instanceof UserError && isMissing(error.cause))) throw error;
    throw new UserError(
      `Cannot find a tokenizer in "${name}": expected a folder with tokenizer.json, vocab.txt, or vocab.json and ` +
        "merges.txt",
      { cause: error.cause },
    );
  }
}

/** Vocabularies of SentencePiece, which are programs' own. */
const SENTENCEPIECE = ["sentencepiece.bpe.model", "spiece.model", "tokenizer.model"];

/** What reading gives; `null` where there is no such file. */
async function ifThere<Read>(read: () => Promise<Read>): Promise<Read | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError && isMissing(error.cause)) return null;
    throw error;
  }
}

/**
 * What a `tokenizer_config.json` says of a BERT tokenizer that has no `tokenizer.json`.
 *
 * @throws UserError for a value of another kind, or another class of tokenizers
 */
function bertOptions(config: Record<string, unknown>, lowercase: boolean, file: string): BertTokenizerOptions {
  const flag = (key: string): boolean | null => {
    const value = config[key] ?? null;
    if (value === null || typeof value === "boolean") return value;
    throw new UserError(`Cannot read ${key} in "${file}": expected true, false or null, got ${showJson(value)}`);
  };
  const words = config.never_split ?? [];
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string")) {
    throw new UserError(`Cannot read never_split in "${file}": expected a list of texts, got ${showJson(words)}`);
  }
  const { tokenizer_class: kind = null, word_tokenizer_type: splitter = "basic" } = config;
  if (kind === "BertJapaneseTokenizer" || splitter !== "basic") {
    throw new UserError(
      `Cannot make the tokenizer of "${file}" of its vocab.txt, as it splits words by a dictionary: expected a ` +
        "tokenizer.json beside it",
    );
  }
  const frame = kind === null ? undefined : /^MPNetTokenizer(Fast)?$/.test(String(kind)) ? MPNET_FRAME : BERT_FRAME;
  for (const [key, token] of Object.entries(frame?.names ?? {})) {
    const stated = isJsonObject(config[key]) ? config[key].content : config[key] ?? token;
    if (stated === token) continue;
    throw new UserError(
      `Cannot make the tokenizer of "${file}" of its vocab.txt, as its ${key} is ${showJson(stated)}, expected ` +
        `${showJson(token)}; ${saveTokenizer(dirname(file))}`,
    );
  }
  return {
    ...(frame && { frame }),
    lowercase: flag("do_lower_case") ?? lowercase,
    stripAccents: flag("strip_accents"),
    chineseCharacters: flag("tokenize_chinese_chars") ?? true,
    basic: flag("do_basic_tokenize") ?? true,
    neverSplit: words,
  };
}

/** What frames texts, by a vocabulary alone: MPNet's has BERT's special tokens as well, behind its own. */
function frameOf(lines: readonly string[]) {
  return ["<s>", "<pad>", "</s>"].every((token, index) => lines[index] === token) ? MPNET_FRAME : BERT_FRAME;
}

async function readVocabulary(file: string, options: BertTokenizerOptions, readFile: DatasetSetup["readFile"]) {
  const lines = await readLines(file, readFile);
  try {
    return bertTokenizer(lines, { frame: frameOf(lines), ...options });
  } catch (error) {
    throw error instanceof UserError ? new UserError(`Cannot use the vocabulary "${file}": ${error.message}`) : error;
  }
}

/** The lines of a text file; one that ends with a line break has none after it. */
async function readLines(file: string, readFile: DatasetSetup["readFile"]): Promise<string[]> {
  const bytes = await readFile(file, "the vocabulary");
  const foreign = foreignKind(bytes, file);
  if (foreign !== null) throw new UserError(`Cannot read the vocabulary "${file}" as ${foreign}`);
  return decodeText(bytes, "utf-8", file).replace(/\r?\n$/, "").split(/\r?\n/);
}

async function readJson(file: string, readFile: DatasetSetup["readFile"]): Promise<Record<string, unknown>> {
  const bytes = await readFile(file, "the tokenizer");
  const refuse = (reason: string) =>
    new UserError(`Cannot read the tokenizer "${file}" as ${foreignKind(bytes, file) ?? reason}`);
  const value = parseJson(bytes, refuse);
  if (isJsonObject(value)) return value;
  throw refuse(`it is ${showJson(value)}: expected a JSON object`);
}

function checked(tokenizer: Record<string, unknown>, file: string): Record<string, unknown> {
  checkTokenizer(tokenizer, file);
  return tokenizer;
}

/** Hugging Face's files of a tokenizer, for its own tools and for {@link openTokenizer}. */
function fileBytes({ tokenizer, config }: TokenizerFiles): Record<string, Uint8Array> {
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value, null, 1) + "\n");
  return { "tokenizer.json": bytes(tokenizer), "tokenizer_config.json": bytes(config) };
}
