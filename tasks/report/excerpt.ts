import { isJsonObject } from "../../core/json.ts";

/** Turns numbers of tokens into words again, as well as that can be done. */
export interface Vocabulary {
  /** Each token as text; `null` for special ones, such as `[CLS]`. */
  pieces(numbers: readonly number[]): { readonly text: string; readonly token: number }[];
}

/** @param text the content of a `tokenizer.json` @returns `null` if it lists no tokens */
export function vocabularyOf(text: string): Vocabulary | null {
  const { model, added_tokens: added = [] } = JSON.parse(text);
  const names = new Map<number, string>();
  if (isJsonObject(model?.vocab)) {
    for (const [name, number] of Object.entries(model.vocab)) names.set(Number(number), name);
  } else if (Array.isArray(model?.vocab)) {
    model.vocab.forEach(([name]: [string], number: number) => names.set(number, name));
  } else return null;
  const special = new Set<number>();
  for (const { id, content, special: isSpecial } of Array.isArray(added) ? added : []) {
    names.set(id, content);
    if (isSpecial) special.add(id);
  }
  const read = model.type === "WordPiece"
    ? wordPiece
    : byteLevel([...names.values()].some((name) => name.startsWith("Ġ")));
  return {
    pieces: (numbers) =>
      numbers.flatMap((number, token) => {
        const name = names.get(number);
        return name === undefined || special.has(number) || /^\[(CLS|SEP|PAD|MASK)\]$/.test(name)
          ? []
          : [{ text: read(name), token }];
      }),
  };
}

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
