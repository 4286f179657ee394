import { breathe } from "../../evaluate/breathe.ts";
import { inferOn } from "../../evaluate/predictions.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Batch, HostTensor } from "../../plugin/dataset.ts";
import type { Model } from "../../plugin/model.ts";
import type { Patches } from "./patches.ts";
import type { Game } from "./shapley.ts";
import type { Word } from "./words.ts";

/** A model whose logit of one class is a game of the parts of an example. */
export interface PlayedModel {
  readonly ops: Ops;
  readonly model: Model;
  readonly weights: Weights;
  readonly batchSize: number;
}

/**
 * What the logit of a class is where only some parts of one example are there.
 *
 * @param target the class
 * @param played the example as each set of parts leaves it, in one batch
 */
export function logitGame(
  { ops, model, weights, batchSize }: PlayedModel,
  target: number,
  played: (sets: readonly Uint8Array[]) => Batch<HostTensor>,
): Game {
  return async (sets) => {
    const values = new Float64Array(sets.length);
    for (let begin = 0; begin < sets.length; begin += batchSize) {
      const some = sets.slice(begin, begin + batchSize);
      const logits = ops.scope(() => {
        const { logits } = inferOn(ops, model, weights, played(some));
        return ops.reshape(logits, logits.shape);
      });
      const [numbers] = await ops.read([logits]);
      logits.dispose();
      const classes = numbers.length / some.length;
      some.forEach((_, index) => values[begin + index] = numbers[index * classes + target]);
      await breathe();
    }
    return values;
  };
}

/**
 * An image with the patches of a set, and the background elsewhere.
 *
 * @param image `[1, height, width, channels]`
 * @param background of each channel, as the model takes it
 */
export function withPatches(image: HostTensor, { of }: Patches, background: readonly number[]) {
  const channels = background.length;
  return (sets: readonly Uint8Array[]): Batch<HostTensor> => {
    const { data, shape } = image;
    const all = new Float32Array(sets.length * data.length);
    sets.forEach((set, index) => {
      const own = all.subarray(index * data.length, (index + 1) * data.length);
      own.set(data);
      of.forEach((patch, pixel) => {
        if (set[patch] === 0) own.set(background, pixel * channels);
      });
    });
    return { image: { data: all, shape: [sets.length, ...shape.slice(1)] } };
  };
}

/**
 * A text with the words of a set, and a token that says nothing in the place of each token of the others.
 *
 * @param text `tokens`, `types` and `mask`, each `[1, length]`
 */
export function withWords(text: Batch<HostTensor>, words: readonly Word[], blank: number) {
  return (sets: readonly Uint8Array[]): Batch<HostTensor> => {
    const repeated = ({ data, shape }: HostTensor): HostTensor => {
      const all = new Float32Array(sets.length * data.length);
      sets.forEach((_, index) => all.set(data, index * data.length));
      return { data: all, shape: [sets.length, ...shape.slice(1)] };
    };
    const batch = Object.fromEntries(Object.entries(text).map(([name, tensor]) => [name, repeated(tensor)]));
    const length = text.tokens.data.length;
    sets.forEach((set, index) =>
      words.forEach(({ tokens }, word) => {
        if (set[word] === 0) { for (const place of tokens) batch.tokens.data[index * length + place] = blank; }
      })
    );
    return batch;
  };
}
