import { firstIndices } from "../data/loader.ts";
import type { RunData } from "./load_data.ts";
import { classWeightsOf } from "../recipe/class_weights_of.ts";
import type { Examples } from "../plugin/dataset.ts";
import { labelledOf } from "../plugin/labelled.ts";
import type { Loss } from "../plugin/loss.ts";
import type { Model } from "../plugin/model.ts";
import { listWords } from "../recipe/words.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";

/** So many images are hardly all alike when they are mirrored or shifted. */
const LOOKED_AT = 16;

/**
 * Checks that the data set does what `augment` asks for.
 *
 * @returns a warning if images come out as they are; `null` if all is well or nothing is asked for
 * @throws UserError with line and column if the examples are no images
 */
export async function checkAugmentation(
  recipe: Checked<Recipe>,
  { dataset, train }: RunData,
): Promise<string | null> {
  const { augment, seed, dataset: { use } } = recipe.value;
  const mixing = mixingOf(recipe.value);
  const changing = Object.keys(augment).filter((key) => augment[key as "flip"] && !mixing.includes(key as "mixup"));
  if (mixing.length + changing.length === 0) return null;
  if (!dataset.input.image) {
    throw recipe.error(
      ["augment"],
      `Cannot augment the examples of "${use}": they are texts, and augment is for images`,
    );
  }
  if (mixing.length > 0 && dataset.input.task !== "classification") {
    throw recipe.error(
      ["augment", mixing[0]],
      `Cannot mix images of a ${dataset.input.task}: their labels are no classes`,
    );
  }
  if (changing.length === 0) return null;
  const indices = firstIndices(Math.min(LOOKED_AT, train.length));
  await train.fetch?.(indices);
  const { image } = train.batch(indices);
  const none = { flip: false, shift: 0, crop: null, rotate: 0, jitter: 0, erase: 0, randAugment: null };
  const undone = changing.filter((key) => {
    const alone = { ...none, [key]: augment[key as "flip"], seed };
    return [0, 1, 2, 3].every((epoch) => {
      const other = train.batch(indices, { ...alone, epoch }).image;
      return other.data.every((pixel, index) => pixel === image.data[index]);
    });
  });
  return undone.length === 0
    ? null
    : `the data set "${use}" gives the same images with augment.${
      listWords(undone, "and")
    } as without: it does not do that`;
}

const MIXING = ["mixup", "cutmix"] as const;

/** The ways of mixing that a recipe asks for. */
export function mixingOf({ augment }: Pick<Recipe, "augment">): readonly (typeof MIXING[number])[] {
  return MIXING.filter((key) => augment[key] > 0);
}

/**
 * @throws UserError with line and column for a loss that would take a mixed image for one of its first label alone, or
 * for half of a label, and for a teacher that would
 */
export function expectMixable(
  recipe: Checked<Recipe>,
  losses: readonly { readonly name: string; readonly loss: Pick<Loss, "mixed" | "labels" | "teacherOutputs"> }[],
  train: Pick<Examples, "length" | "labelled">,
  teacher: { readonly model: Pick<Model, "hostOutputs"> } | null = null,
): void {
  const [way] = mixingOf(recipe.value);
  if (way === undefined) return;
  // Another library answers as a batch is made, before images are mixed.
  if (teacher?.model.hostOutputs && losses.some(({ loss }) => loss.teacherOutputs.length > 0)) {
    throw recipe.error(
      ["augment", way],
      `Cannot mix images for a teacher that another library computes, such as an ONNX file: it would answer for the first ` +
        `of each two alone; set ${way} to 0`,
    );
  }
  const partly = losses.findIndex(({ loss }) => loss.labels === "some");
  if (partly >= 0 && labelledOf(train) < train.length) {
    throw recipe.error(
      ["augment", way],
      `Cannot mix images for the loss "${
        losses[partly].name
      }" where some have no label: a mixture would have half of ` +
        `one; set ${way} to 0, or use losses without labels, such as kd`,
    );
  }
  const unfit = losses.findIndex(({ loss }) => loss.mixed !== true);
  if (unfit < 0) return;
  if (classWeightsOf(recipe.value.losses[unfit])) {
    throw recipe.error(
      ["losses", unfit, "classWeights"],
      `Cannot weight classes with augment.${way}: a mixed image has two labels; set ${way} to 0, or leave out classWeights`,
    );
  }
  throw recipe.error(
    ["losses", unfit],
    `Cannot use the loss "${losses[unfit].name}" with augment.${way}: it would take each mixed image for one of its ` +
      `first label alone; set ${way} to 0, or use losses such as cross-entropy and kd`,
  );
}
