/**
 * Optimal string alignment distance: the fewest insertions, deletions, substitutions and swaps of two neighbouring
 * characters that turn one word into the other.
 *
 * @param a one word
 * @param b the other word
 * @returns the number of edits; 0 when the words are equal
 */
export function editDistance(a: string, b: string): number {
  // Three rows of the table are enough: a swap looks two rows back.
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(substitution, last[j] + 1, row[j - 1] + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

/**
 * The candidate that a mistyped word most probably meant. Case, hyphens, underscores and spaces do not count, so that
 * `learning_rate` finds `learningRate`; beyond that about one edit in three characters is allowed, and a part
 * of a word finds the word.
 *
 * @param word what was written
 * @param candidates what would have been right
 * @returns the nearest candidate (the first of equals), or `undefined` when none is near enough to suggest
 *
 * @example
 * ```ts
 * nearest("epoch", ["epochs", "maxSteps"]); // "epochs"
 * nearest("colour", ["epochs", "maxSteps"]); // undefined
 * ```
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_\s]/g, "");
  const wanted = plain(word);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = distanceTo(wanted, plain(candidate));
    // A word with nothing in common is no suggestion, however short both are.
    if (distance < bestDistance && distance < Math.max(wanted.length, 1)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A part of the right word is nearer than a misspelling of another: `gpu` is `webgpu` rather than `cpu`. */
function distanceTo(word: string, candidate: string): number {
  const distance = editDistance(word, candidate);
  return word.length >= 3 && candidate.includes(word) ? Math.min(distance, 0.5) : distance;
}
