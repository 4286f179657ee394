import type { Random } from "../../data/random.ts";

/** The tokens of a text without its padding, with the segment of each. */
export interface Tokens {
  readonly tokens: readonly number[];
  readonly types: readonly number[];
}

/**
 * A text without some of its tokens, each left out with a probability; the first and the last stay, and what is the
 * same as they: the marks of beginning, separation and end.
 */
export function withoutTokens({ tokens, types }: Tokens, rate: number, random: Random): Tokens {
  const marks = new Set([tokens[0], tokens.at(-1)]);
  // One number for each, so that what a higher rate leaves out contains what a lower one does.
  const stays = tokens.map((token) => {
    const draw = random.uniform();
    return marks.has(token) || draw >= rate;
  });
  const left = <Value>(list: readonly Value[]) => list.filter((_, at) => stays[at]);
  return { tokens: left(tokens), types: left(types) };
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/**
 * A text with typing errors: in each word of at least two letters, with a probability, two letters change places, or
 * one is left out, doubled, or another.
 */
export function withTypos(text: string, rate: number, random: Random): string {
  return text.replaceAll(/\p{L}{2,}/gu, (word) => {
    const [draw, kind, place, other] = [random.uniform(), random.below(4), random.uniform(), random.below(26)];
    return draw < rate ? misspelt([...word], kind, place, LETTERS[other]) : word;
  });
}

function misspelt(letters: readonly string[], kind: number, place: number, other: string): string {
  const at = Math.floor(place * (letters.length - (kind === 0 ? 1 : 0)));
  const [before, letter, after] = [letters.slice(0, at), letters[at], letters.slice(at + 1)];
  const [next, ...rest] = after;
  const wrong = other !== letter ? other : other === "e" ? "a" : "e";
  const changed = [[next, letter, ...rest], after, [letter, letter, ...after], [wrong, ...after]][kind];
  return [...before, ...changed].join("");
}
