import { Random } from "../data/random.ts";
import { spreadIndices } from "../data/loader.ts";
import { batchesOf } from "../evaluate/batches.ts";
import type { Batch, Examples, HostTensor, InputDescription } from "../plugin/dataset.ts";
import { sizeOf } from "../tensor.ts";

/** The largest batch of a probe. */
const BATCH = 32;

/** Examples from all over a list, in batches; the last one is smaller, so that two sizes are tried. */
export async function examplesIn(examples: Examples, count: number): Promise<Batch<HostTensor>[]> {
  const batches: Batch<HostTensor>[] = [];
  const chosen = spreadIndices(examples.length, count);
  for (const indices of batchesOf(chosen, Math.min(BATCH, Math.max(1, chosen.length - 1)))) {
    await examples.fetch?.(indices);
    batches.push(examples.batch(indices));
  }
  return batches;
}

/** Made-up examples: pixels as those of any picture would be, and texts of any tokens and of several lengths. */
export function madeUp({ image, text }: InputDescription, seed: number): Batch<HostTensor>[] {
  const random = new Random(seed);
  if (image) {
    const { size, normalise: { mean, std } } = image;
    const channels = size[2];
    return [8, 1].map((count) => {
      const shape = [count, ...size];
      const data = Float32Array.from({ length: sizeOf(shape) }, (_, place) => {
        const channel = place % channels;
        return (random.uniform() - mean[channel]) / std[channel];
      });
      return { image: { shape, data } };
    });
  }
  const { vocabulary, maxLength, padding } = text!;
  return [[8, Math.min(maxLength, 64)], [1, Math.min(maxLength, 7)]].map(([count, length]) => {
    const shape = [count, length];
    const whole = (of: (row: number, place: number) => number) => ({
      shape,
      data: Float32Array.from({ length: count * length }, (_, at) => of(Math.floor(at / length), at % length)),
    });
    const lengths = Array.from({ length: count }, () => 1 + random.below(length));
    return {
      tokens: whole((row, place) =>
        place < lengths[row] ? random.below(vocabulary) : Math.min(padding, vocabulary - 1)
      ),
      types: whole((row, place) => 2 * place >= lengths[row] && place < lengths[row] ? 1 : 0),
      mask: whole((row, place) => place < lengths[row] ? 1 : 0),
    };
  });
}
