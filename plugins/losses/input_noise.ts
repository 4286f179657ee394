import type { Random } from "../../core/data/random.ts";
import type { Batch, HostTensor } from "../../core/plugin/dataset.ts";

/** No more of a text is changed than this, however large the number that was drawn. */
const MOST = 0.5;

/**
 * A batch of which each example is changed a little at random, with numbers of its own: in one copy of a text some
 * tokens are left out, in the next some change places; images get normal noise. The first and the last token stay, and
 * what is the same as they, the marks of beginning, separation and end.
 *
 * @param amount of a text the mean share of its tokens that are changed; of an image the noise's deviation, in units of
 * what the model takes
 * @param copy its number: even ones leave tokens out, odd ones swap them
 * @param randomOf the random numbers of an example
 */
export function withNoise(
  batch: Batch<HostTensor>,
  indices: Uint32Array,
  { amount, copy, randomOf }: { amount: number; copy: number; randomOf: (example: number) => Random },
): Batch<HostTensor> {
  if (batch.image) {
    const { data, shape } = batch.image;
    const noisy = Float32Array.from(data);
    const size = data.length / shape[0];
    indices.forEach((example, row) => {
      const random = randomOf(example);
      for (let at = row * size; at < (row + 1) * size; at++) noisy[at] += amount * random.normal();
    });
    return { ...batch, image: { data: noisy, shape } };
  }
  const [tokens, types, mask] = [batch.tokens, batch.types, batch.mask].map(({ data, shape }) => {
    return { data: Float32Array.from(data), shape };
  });
  const length = tokens.shape[1];
  indices.forEach((example, row) => {
    const of = ({ data }: HostTensor) => data.subarray(row * length, (row + 1) * length);
    const [ownTokens, ownTypes, ownMask] = [of(tokens), of(types), of(mask)];
    const count = ownMask.lastIndexOf(1) + 1;
    const random = randomOf(example);
    const share = Math.min(MOST, amount * Math.sqrt(Math.PI / 2) * Math.abs(random.normal())); // of mean `amount`
    const marks = new Set([ownTokens[0], ownTokens[count - 1]]);
    const words = Array.from({ length: count }, (_, at) => at).filter((at) => !marks.has(ownTokens[at]));
    if (words.length < 2) return;
    if (copy % 2 === 1) swap(ownTokens, words, share, random);
    else leaveOut([ownTokens, ownTypes, ownMask], words, count, share, random);
  });
  return { ...batch, tokens, types, mask };
}

/** Tokens at random places change with each other, one pair at least. */
function swap(tokens: Float32Array, words: readonly number[], share: number, random: Random): void {
  for (let pairs = Math.max(1, Math.floor(share * words.length)); pairs > 0; pairs--) {
    const first = random.below(words.length);
    const second = (first + 1 + random.below(words.length - 1)) % words.length;
    const [a, b] = [words[first], words[second]];
    [tokens[a], tokens[b]] = [tokens[b], tokens[a]];
  }
}

/** Each token is left out with a probability, all but one of them; what follows moves up, and padding comes behind. */
function leaveOut(
  rows: readonly [tokens: Float32Array, types: Float32Array, mask: Float32Array],
  words: readonly number[],
  count: number,
  share: number,
  random: Random,
): void {
  const left = new Set(words.filter(() => random.uniform() < share));
  if (left.size === words.length) left.delete(words[random.below(words.length)]);
  const kept = Array.from({ length: count }, (_, at) => at).filter((at) => !left.has(at));
  for (const row of rows) {
    const padding = count < row.length ? row[row.length - 1] : 0;
    kept.forEach((from, to) => row[to] = row[from]);
    row.fill(padding, kept.length, count);
  }
}
