import { firstIndices } from "../data/loader.ts";
import type { RunData } from "./load_data.ts";
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
  if (!augment.flip && augment.shift === 0) return null;
  if (!dataset.input.image) {
    throw recipe.error(
      ["augment"],
      `Cannot augment the examples of "${use}": they are texts, and augment is for images`,
    );
  }
  const indices = firstIndices(Math.min(LOOKED_AT, train.length));
  await train.fetch?.(indices);
  const { image } = train.batch(indices);
  const changed = [0, 1].some((epoch) => {
    const other = train.batch(indices, { ...augment, seed, epoch }).image;
    return other.data.some((pixel, index) => pixel !== image.data[index]);
  });
  return changed ? null : `the data set "${use}" gives the same images with augment as without: it does not augment`;
}
