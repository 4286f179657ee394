import { UserError } from "../errors.ts";
import { readTextIfThere } from "../files.ts";
import { isJsonObject, parseJson, showJson } from "../json.ts";
import { join } from "../paths.ts";
import { type ForeignConfig, SENTENCE_MODULES, type SentenceModules } from "../plugin/saved_options.ts";

/** Says of which modules a model of sentences is. */
export const MODULES_FILE = "modules.json";

/** Says how many tokens a text may have. */
const LENGTH_FILE = "sentence_bert_config.json";

/** Says what the tokenizer does. */
const TOKENIZER_FILE = "tokenizer_config.json";

/** Says which prompts there are. */
const PROMPTS_FILE = "config_sentence_transformers.json";

/** By file, the key of the most tokens of a text. */
const LENGTH_KEYS = { [LENGTH_FILE]: "max_seq_length", [TOKENIZER_FILE]: "model_max_length" };

/** Older files have a key for each way of pooling. */
const POOLING_KEYS: Readonly<Record<string, string>> = {
  pooling_mode_cls_token: "cls",
  pooling_mode_mean_tokens: "mean",
  pooling_mode_max_tokens: "max",
  pooling_mode_mean_sqrt_len_tokens: "mean_sqrt_len_tokens",
  pooling_mode_weightedmean_tokens: "weightedmean",
  pooling_mode_lasttoken: "lasttoken",
};

/**
 * What sentence-transformers' files beside a config.json say of the vectors that the model makes, as an entry for the
 * config; none where there is no `modules.json`. Only what pools and normalises is read, and what changes texts: the
 * folder of a module without settings, such as the one that normalises, may be missing.
 *
 * @throws UserError for files that cannot be read
 */
export async function readSentenceModules(folder: string): Promise<ForeignConfig> {
  const file = join(folder, MODULES_FILE);
  const modules = await readJson(file);
  if (modules === null) return {};
  if (!Array.isArray(modules) || !modules.every((module) => isJsonObject(module) && typeof module.type === "string")) {
    throw new UserError(`Cannot read "${file}" as a list of modules: expected a type and a path of each`);
  }
  const kinds = modules.map(({ type }) => (type as string).split(".").at(-1)!);
  const [first, second, ...rest] = kinds;
  if (first !== "Transformer") return {};
  const other = kinds.slice(1).find((kind, index) => kind !== (index === 0 ? "Pooling" : "Normalize"));
  const pooling = other ?? (second === undefined ? "none" : await readPooling(folder, modules[1].path));
  const read: SentenceModules = {
    pooling,
    normalise: rest.includes("Normalize"),
    maxLength: await readLength(folder),
    change: await readChange(folder),
  };
  return { [SENTENCE_MODULES]: read };
}

/**
 * The files of sentence-transformers that a folder may have beside its config.json and its tokenizer's, from there;
 * none where there is no `modules.json`.
 */
export async function sentenceFiles(folder: string): Promise<string[]> {
  const modules = await readJson(join(folder, MODULES_FILE));
  if (!Array.isArray(modules)) return [];
  const paths = modules.map((module) => isJsonObject(module) ? module.path : null).filter(isFolderName);
  return [MODULES_FILE, LENGTH_FILE, PROMPTS_FILE, ...paths.map((path) => `${path}/config.json`)];
}

const isFolderName = (path: unknown): path is string => typeof path === "string" && /^[\w-]+$/.test(path);

/** How vectors of tokens become one, in sentence-transformers' words. */
async function readPooling(folder: string, path: unknown): Promise<string> {
  if (!isFolderName(path)) {
    throw new UserError(
      `Cannot read the path of the module that pools in "${
        join(folder, MODULES_FILE)
      }": expected a folder in it, got ` +
        showJson(path),
    );
  }
  const file = join(folder, path, "config.json");
  const config = await readJson(file);
  if (!isJsonObject(config)) {
    const reason = config === null ? "there is no such file" : "it is no JSON object";
    throw new UserError(`Cannot read in "${file}" how the model pools: ${reason}`);
  }
  const told = config.pooling_mode ?? Object.keys(POOLING_KEYS).filter((key) => config[key] === true)
    .map((key) => POOLING_KEYS[key]);
  return [told].flat().map(String).join(" and ");
}

/** The most tokens of a text, which newer versions say in the tokenizer's settings alone; `null` where nothing does. */
async function readLength(folder: string): Promise<number | null> {
  for (const [name, key] of Object.entries(LENGTH_KEYS)) {
    const file = join(folder, name);
    const config = await readJson(file);
    const length = isJsonObject(config) ? config[key] ?? null : null;
    if (length === null) continue;
    if (typeof length === "number" && Number.isInteger(length) && length >= 1) return length;
    throw new UserError(`Cannot read ${key} of "${file}": expected a number of tokens, got ${showJson(length)}`);
  }
  return null;
}

/** What happens to a text before the tokenizer has it; `null` for nothing that the tokenizer would not do itself. */
async function readChange(folder: string): Promise<string | null> {
  const prompts = await readJson(join(folder, PROMPTS_FILE));
  if (isJsonObject(prompts) && typeof prompts.default_prompt_name === "string" && isJsonObject(prompts.prompts)) {
    const prompt = prompts.prompts[prompts.default_prompt_name];
    if (prompt) return `with ${showJson(prompt)} before each (default_prompt_name of ${PROMPTS_FILE})`;
  }
  const lowers = async (file: string) => {
    const config = await readJson(join(folder, file));
    return isJsonObject(config) && config.do_lower_case === true;
  };
  if (!await lowers(LENGTH_FILE) || await lowers(TOKENIZER_FILE)) return null;
  return `in lower case (do_lower_case of ${LENGTH_FILE})`;
}

/** `null` where there is no such file. */
async function readJson(file: string): Promise<unknown> {
  const text = await readTextIfThere(file, "the description of a model of sentences");
  return text === null ? null : parseJson(text, (reason) => new UserError(`Cannot read "${file}" as ${reason}`));
}
