import { join } from "node:path";
import { UserError } from "../../../core/errors.ts";
import { isJsonObject, parseJson, showJson } from "../../../core/json.ts";
import type { DatasetSetup } from "../../../core/plugin/dataset.ts";
import { bertTokenizer, type BertTokenizerOptions } from "./bert_tokenizer.ts";
import { checkTokenizer } from "./check_tokenizer.ts";
import { decodeText } from "./decode_text.ts";
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
 * The tokenizer that the options name, or a new one for some texts.
 *
 * @throws UserError for files that are missing or not a tokenizer's
 */
export async function openTokenizer(
  options: TextOptions,
  trainingTexts: Iterable<string>,
  { readFile }: Pick<DatasetSetup, "readFile">,
): Promise<OpenedTokenizer> {
  const { tokenizer: name, lowercase, maxLength, vocabularySize } = options;
  const files = name === null
    ? bertTokenizer(trainVocabulary(countWords(trainingTexts, lowercase), vocabularySize), { lowercase })
    : await readTokenizer(name, lowercase, readFile);
  return { tokenizer: new TextTokenizer(files, maxLength, name), files: fileBytes(files) };
}

async function readTokenizer(name: string, lowercase: boolean, readFile: DatasetSetup["readFile"]) {
  if (name.endsWith(".txt")) return readVocabulary(name, { lowercase }, readFile);
  if (name.endsWith(".json")) return { tokenizer: checked(await readJson(name, readFile), name), config: {} };
  const optional = async (file: string) => {
    try {
      return await readJson(join(name, file), readFile);
    } catch (error) {
      if (error instanceof UserError && error.cause instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  };
  const [tokenizer, config] = [await optional("tokenizer.json"), await optional("tokenizer_config.json") ?? {}];
  if (tokenizer) return { tokenizer: checked(tokenizer, join(name, "tokenizer.json")), config };
  const file = join(name, "tokenizer_config.json");
  return readVocabulary(join(name, "vocab.txt"), bertOptions(config, lowercase, file), readFile);
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
  const { tokenizer_class: kind, word_tokenizer_type: splitter = "basic" } = config;
  if (kind === "BertJapaneseTokenizer" || splitter !== "basic") {
    throw new UserError(
      `Cannot make the tokenizer of "${file}" of its vocab.txt, as it splits words by a dictionary: expected a ` +
        "tokenizer.json beside it",
    );
  }
  return {
    lowercase: flag("do_lower_case") ?? lowercase,
    stripAccents: flag("strip_accents"),
    chineseCharacters: flag("tokenize_chinese_chars") ?? true,
    basic: flag("do_basic_tokenize") ?? true,
    neverSplit: words,
  };
}

async function readVocabulary(file: string, options: BertTokenizerOptions, readFile: DatasetSetup["readFile"]) {
  const text = decodeText(await readFile(file, "the vocabulary"), "utf-8", file);
  try {
    return bertTokenizer(text.replace(/\r?\n$/, "").split(/\r?\n/), options);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`Cannot use the vocabulary "${file}": ${error.message}`) : error;
  }
}

async function readJson(file: string, readFile: DatasetSetup["readFile"]): Promise<Record<string, unknown>> {
  const bytes = await readFile(file, "the tokenizer");
  const refuse = (reason: string) => new UserError(`Cannot read the tokenizer "${file}" as ${reason}`);
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
