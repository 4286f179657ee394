import { SPECIAL_TOKENS } from "./bert_tokenizer.ts";
import { Heap } from "./heap.ts";

/** A word as pieces, and how often it occurs. */
interface Word {
  pieces: string[];
  readonly count: number;
}

/** Two pieces that stand next to each other, and how often. */
interface Pair {
  readonly key: string;
  readonly count: number;
}

/** The longest word that is learned from; longer ones are rarely words. */
const MOST_LETTERS = 100;
/** Between the pieces of a pair's name; no word has it, as BERT's normaliser takes control characters out. */
const SEPARATOR = "\u0000";

/**
 * A WordPiece vocabulary: beginning with single letters, the two neighbouring pieces that occur most often become one,
 * until there are enough (the way of byte-pair encoding, Sennrich et al. 2016, arXiv 1508.07909, which Hugging Face's
 * WordPiece trainer takes, too). Equal counts are decided by the pieces' order, so that equal texts give equal
 * vocabularies.
 *
 * @param counts how often each word occurs
 * @param size the most pieces, special tokens included
 * @returns the pieces in the order of their numbers, special tokens first
 */
export function trainVocabulary(counts: ReadonlyMap<string, number>, size: number): string[] {
  const words = [...counts].filter(([word]) => word.length <= MOST_LETTERS)
    .map(([word, count]): Word => ({ pieces: lettersOf(word), count }));
  const vocabulary: string[] = [...SPECIAL_TOKENS];
  vocabulary.push(...commonLetters(words, size - vocabulary.length));
  const known = new Set(vocabulary);
  const pairs = countPairs(words);
  const heap = new Heap<Pair>((a, b) => a.count > b.count || (a.count === b.count && a.key < b.key));
  for (const [key, { count }] of pairs) heap.push({ key, count });
  while (vocabulary.length < size) {
    const best = heap.pop();
    if (!best) break;
    const pair = pairs.get(best.key);
    // The heap keeps a pair's old counts, too; only the present one is meant.
    if (!pair || pair.count !== best.count) continue;
    if (pair.count < 2) break;
    const [left, right] = best.key.split(SEPARATOR);
    const merged = left + right.replace(/^##/, "");
    if (!known.has(merged)) {
      known.add(merged);
      vocabulary.push(merged);
    }
    const changed = new Set<string>();
    for (const index of [...pair.words]) mergeIn(words, index, left, right, merged, pairs, changed);
    pairs.delete(best.key);
    for (const key of changed) {
      const { count } = pairs.get(key) ?? { count: 0 };
      if (count > 0) heap.push({ key, count });
    }
  }
  return vocabulary;
}

function lettersOf(word: string): string[] {
  return Array.from(word).map((letter, index) => index === 0 ? letter : `##${letter}`);
}

/** The most frequent letters, in order. */
function commonLetters(words: readonly Word[], most: number): string[] {
  const counts = new Map<string, number>();
  for (const { pieces, count } of words) {
    for (const piece of pieces) counts.set(piece, (counts.get(piece) ?? 0) + count);
  }
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return byCount.slice(0, Math.max(0, most)).map(([letter]) => letter).sort();
}

type Pairs = Map<string, { count: number; readonly words: Set<number> }>;

function countPairs(words: readonly Word[]): Pairs {
  const pairs: Pairs = new Map();
  words.forEach((word, index) => addPairs(pairs, word, index));
  return pairs;
}

function addPairs(pairs: Pairs, { pieces, count }: Word, index: number, changed?: Set<string>): void {
  for (let i = 1; i < pieces.length; i++) {
    const key = pieces[i - 1] + SEPARATOR + pieces[i];
    const pair = pairs.get(key);
    if (pair) {
      pair.count += count;
      pair.words.add(index);
    } else pairs.set(key, { count, words: new Set([index]) });
    changed?.add(key);
  }
}

function mergeIn(
  words: readonly Word[],
  index: number,
  left: string,
  right: string,
  merged: string,
  pairs: Pairs,
  changed: Set<string>,
): void {
  const word = words[index];
  for (let i = 1; i < word.pieces.length; i++) {
    const key = word.pieces[i - 1] + SEPARATOR + word.pieces[i];
    const pair = pairs.get(key)!;
    pair.count -= word.count;
    pair.words.delete(index);
    changed.add(key);
  }
  const pieces: string[] = [];
  for (let i = 0; i < word.pieces.length; i++) {
    if (word.pieces[i] === left && word.pieces[i + 1] === right) {
      pieces.push(merged);
      i++;
    } else pieces.push(word.pieces[i]);
  }
  word.pieces = pieces;
  addPairs(pairs, word, index, changed);
}
