import { UserError } from "../errors.ts";
import { readTextIfThere } from "../files.ts";
import { isJsonObject, parseJson } from "../json.ts";
import { join } from "../paths.ts";

/** Turns numbers of tokens into words again, as well as that can be done. */
export interface Vocabulary {
  /** Each token as text; `null` for special ones, such as `[CLS]`. */
  pieces(numbers: readonly number[]): { readonly text: string; readonly token: number }[];
  /** The number of the token that stands for a word that is hidden, `[MASK]`; `null` if there is none. */
  readonly mask: number | null;
  /** The number of the token for words that are not known, `[UNK]`; `null` if there is none. */
  readonly unknown: number | null;
}

/** What tokenizers call these tokens. */
const MASKS = ["[MASK]", "<mask>"], UNKNOWN = ["[UNK]", "<unk>"];

/**
 * The vocabulary of the tokenizer in a model folder; `null` where it has none that lists its tokens.
 *
 * @param without what does without it if the file is removed, for the refusal: `the report`
 * @throws UserError for a `tokenizer.json` that is damaged
 */
export async function readVocabulary(folder: string, without: string): Promise<Vocabulary | null> {
  const file = join(folder, "tokenizer.json");
  const text = await readTextIfThere(file, "the tokenizer");
  if (text === null) return null;
  const refuse = (reason: string) =>
    new UserError(
      `Cannot read the tokenizer "${file}" as ${reason}; ${without} does without it if it is removed, and the model ` +
        "does not",
    );
  return vocabularyOf(parseJson(text, refuse));
}

/** @param content of a `tokenizer.json` @returns `null` if it is not what lists tokens */
export function vocabularyOf(content: unknown): Vocabulary | null {
  const { model, added_tokens: added = [] } = isJsonObject(content) ? content : {};
  if (!isJsonObject(model)) return null;
  const entries = entriesOf(model.vocab);
  if (!entries?.every(([name, number]) => typeof name === "string" && isNumber(number))) return null;
  if (!Array.isArray(added) || !added.every(isAddedToken)) return null;
  const names = new Map(entries.map(([name, number]) => [number as number, name as string]));
  const special = new Set<number>();
  for (const { id, content, special: isSpecial } of added) {
    names.set(id, content);
    if (isSpecial) special.add(id);
  }
  const read = model.type === "WordPiece"
    ? wordPiece
    : byteLevel([...names.values()].some((name) => name.startsWith("Ġ")));
  const numberOf = (wanted: readonly string[]) => [...names].find(([, name]) => wanted.includes(name))?.[0] ?? null;
  return {
    mask: numberOf(MASKS),
    unknown: numberOf(UNKNOWN),
    pieces: (numbers) =>
      numbers.flatMap((number, token) => {
        const name = names.get(number);
        return name === undefined || special.has(number) || /^\[(CLS|SEP|PAD|MASK)\]$/.test(name)
          ? []
          : [{ text: read(name), token }];
      }),
  };
}

/** Tokens with their numbers: of a map of them, or of a list of each with its score. */
function entriesOf(vocabulary: unknown): [name: unknown, number: unknown][] | null {
  if (isJsonObject(vocabulary)) return Object.entries(vocabulary);
  if (!Array.isArray(vocabulary)) return null;
  return vocabulary.map((scored, number) => [Array.isArray(scored) ? scored[0] : null, number]);
}

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value);

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: unknown;
}

const isAddedToken = (token: unknown): token is AddedToken =>
  isJsonObject(token) && isNumber(token.id) && typeof token.content === "string";

/** Pieces within a word begin with `##`. */
const wordPiece = (name: string) => name.startsWith("##") ? name.slice(2) : ` ${name}`;

/** Pieces of bytes, each written as a letter, as GPT-2 has it; or those of SentencePiece, where `▁` is a space. */
function byteLevel(isBytes: boolean): (name: string) => string {
  if (!isBytes) return (name) => name.replaceAll("▁", " ");
  const letters = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const isShown = byte >= 33 && byte <= 126 || byte >= 161 && byte <= 172 || byte >= 174;
    letters.set(String.fromCharCode(isShown ? byte : next++), byte);
  }
  return (name) => {
    const bytes = Uint8Array.from([...name].flatMap((letter) => letters.get(letter) ?? []));
    return new TextDecoder().decode(bytes);
  };
}
