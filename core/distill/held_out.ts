import type { Random } from "../data/random.ts";
import { firstIndices } from "../data/loader.ts";
import { splitExamples } from "../data/split.ts";
import type { Examples } from "../plugin/dataset.ts";
import { labelledOf } from "../plugin/labelled.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import { differentOnes, labelledOnes, othersThan } from "./chosen_examples.ts";
import { type RunData, subset } from "./load_data.ts";

/** A run's data, less those of its training examples that only a teacher that learns is told of. */
export interface DataToLearnBy {
  readonly data: RunData;
  /** Training examples with a label; `null`: the teacher is frozen. */
  readonly heldOut: Examples | null;
}

/**
 * Takes what `train.lgtm` holds out off the training examples, the same part of each class. Validation and test
 * examples stay what they are: nobody learns by them.
 *
 * @throws UserError at `train.lgtm` if no example has a label, at its `heldOut` if that is none, or leaves no batch to
 *   train on
 */
export function withHeldOut(recipe: Checked<Recipe>, data: RunData, random: Random): DataToLearnBy {
  const { lgtm, batchSize, dropLast } = recipe.value.train;
  if (!lgtm) return { data, heldOut: null };
  const { train } = data;
  if (labelledOf(train) === 0) {
    throw recipe.error(
      ["train", "lgtm"],
      "Cannot let the teacher learn as no training example has a label, by which what helps the student is told",
    );
  }
  const pool = differentOnes(train, labelledOnes(train)) ?? firstIndices(train.length);
  const size = Math.round(lgtm.heldOut * pool.length);
  const least = dropLast ? batchSize : 1;
  if (size < 1 || size >= pool.length || train.length - size < least) {
    throw recipe.error(
      ["train", "lgtm", "heldOut"],
      `Cannot hold out ${size} of the ${pool.length} training examples with a label for the teacher to learn by: at least ` +
        `one is needed, and one${dropLast ? " whole batch" : ""} has to be left`,
    );
  }
  const { labels } = train;
  const { validation: places } = splitExamples(pool.length, {
    validation: size,
    seed: random.split("held out").uint32(),
    stratifyBy: labels && Int32Array.from(pool, (index) => labels[index]),
  });
  const chosen = places.map((place) => pool[place]);
  return {
    data: { ...data, train: subset(train, othersThan(train, chosen)) },
    heldOut: subset(train, chosen),
  };
}
