import { firstIndices } from "../data/loader.ts";
import type { Random } from "../data/random.ts";
import type { Examples, InputDescription, Task } from "../plugin/dataset.ts";
import { labelledOf } from "../plugin/labelled.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import { mapBatches } from "./map_examples.ts";

/** Why labels of a task cannot become others'. */
const REFUSED: Readonly<Record<Exclude<Task, "classification">, string>> = {
  regression: "of a regression: its labels are numbers, and none is another class",
  tagging: "of tags: a tag that is wrong by itself breaks the spans around it, which is another noise than this",
  "multi-label": "of examples that may be of several classes: an answer for each class has no one other class",
  embedding: "of pairs of texts: their scores are numbers, and none is another class",
};

/** How many of some labels `labelNoise` makes wrong. */
export function countFlipped({ labelNoise }: Recipe, labelled: number): number {
  return labelNoise ? Math.round(labelNoise.fraction * labelled) : 0;
}

/**
 * Training examples of which the recipe's `labelNoise` makes some labels wrong: symmetric noise, drawn by the seed.
 * Exactly the fraction of those with a label, rounded, is another class in all epochs, each of the other classes being
 * as likely (Patrini et al. 2017, arXiv:1609.03683). Where papers draw from all classes, fewer labels are wrong.
 *
 * @throws UserError with line and column where labels are no classes, or none would be wrong
 */
export function withLabelNoise(
  recipe: Checked<Recipe>,
  train: Examples,
  { task, classes }: InputDescription,
  random: Random,
): Examples {
  if (recipe.value.labelNoise === null) return train;
  const at = ["labelNoise"];
  if (task !== "classification") throw recipe.error(at, `Cannot make labels wrong ${REFUSED[task]}`);
  if (classes.length < 2) throw recipe.error(at, "Cannot make labels wrong as there is one class, and no other");
  const { labelled } = train;
  const pool = labelled
    ? firstIndices(train.length).filter((index) => labelled[index] === 1)
    : firstIndices(train.length);
  const count = countFlipped(recipe.value, pool.length);
  if (count < 1) {
    throw recipe.error(at, `Cannot make ${count} of ${pool.length} training labels wrong: a larger fraction is needed`);
  }
  const stream = random.split("label noise");
  const flipped = stream.shuffle(pool).subarray(0, count);
  /** How many classes further an example's wrong label is; 0 of one that stays right. */
  const further = new Uint32Array(train.length);
  for (const index of flipped) further[index] = 1 + stream.below(classes.length - 1);
  const wrong = (label: number, index: number) =>
    further[index] === 0 ? label : (label + further[index]) % classes.length;
  const noisy = mapBatches(train, ({ label, ...rest }, indices) => {
    return { ...rest, label: { ...label, data: label.data.map((value, row) => wrong(value, indices[row])) } };
  });
  return { ...noisy, labels: train.labels && Int32Array.from(train.labels, wrong) };
}

/** A line that tells of wrong labels; `null` where there are none. */
export function describeLabelNoise(recipe: Recipe, train: Examples, { classes }: InputDescription): string | null {
  if (recipe.labelNoise === null) return null;
  const labelled = labelledOf(train);
  const others = classes.length - 1;
  return `label noise: ${countFlipped(recipe, labelled)} of the ${labelled} training labels are wrong on purpose, ` +
    (others === 1 ? "the other class" : `each any of the other ${others} classes`);
}
