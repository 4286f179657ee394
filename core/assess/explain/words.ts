import type { Vocabulary } from "../../model_folder/vocabulary.ts";

/** A word of a text, with the space before it, and the places of its tokens. */
export interface Word {
  readonly text: string;
  readonly tokens: readonly number[];
}

/** The words of a text: pieces within a word are one, special tokens are none. */
export function wordsOf(numbers: readonly number[], vocabulary: Vocabulary): Word[] {
  const words: { text: string; tokens: number[] }[] = [];
  numbers.forEach((number, place) => {
    const piece = vocabulary.pieces([number])[0]?.text ?? (number === vocabulary.unknown ? " ?" : null);
    if (piece === null) return;
    const isNew = words.length === 0 || piece.startsWith(" ") || words.at(-1)!.tokens.at(-1) !== place - 1;
    if (isNew) words.push({ text: piece, tokens: [place] });
    else {
      const word = words.at(-1)!;
      word.text += piece;
      word.tokens.push(place);
    }
  });
  return words;
}

/** Numbers of tokens added up to those of words. */
export function byWord(numbers: ArrayLike<number>, words: readonly Word[]): Float64Array {
  return Float64Array.from(words, ({ tokens }) => tokens.reduce((sum, place) => sum + numbers[place], 0));
}
