import {
  type ImageForm,
  inImageForm,
  isInForm,
  isSameNormalisation,
  showForm,
  tooLargeInForm,
} from "../../data/image_form.ts";
import { isUrl } from "../../data/remote_file.ts";
import type { Resampling } from "../../data/resize.ts";
import { UserError } from "../../errors.ts";
import { readImageForm } from "../../model_folder/input_form.ts";
import type { ImageInput, InputDescription } from "../../plugin/dataset.ts";
import type { Checked } from "../../recipe/checked.ts";
import type { Path } from "../../recipe/paths.ts";
import { resolveFile } from "../../recipe/recipe.ts";
import type { OtherTeacherSettings } from "../../recipe/recipe_type.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { MadeInputs, Tell } from "./own_inputs.ts";

/**
 * The images of a teacher, if they are of another size than the data set's or normalised otherwise: as the recipe says,
 * or else the files beside its weights.
 *
 * @param path the teacher's place in the recipe
 * @throws UserError with line and column for files that are wrong, or a recipe that does not fit the data
 */
export async function imageInputs(
  recipe: Checked<Recipe>,
  { weights, normalise, imageSize, tokenizer }: OtherTeacherSettings,
  path: Path,
  input: InputDescription & { readonly image: ImageInput },
  { report, warning }: Tell,
): Promise<MadeInputs | null> {
  const { image } = input;
  if (tokenizer !== null) throw recipe.error([...path, "tokenizer"], "Cannot use a tokenizer for images");
  const channels = image.size[2];
  if (normalise && (normalise.mean.length !== channels || normalise.std.length !== channels)) {
    throw recipe.error(
      [...path, "normalise"],
      `Cannot normalise ${channels} channels by ${normalise.mean.length} means and ${normalise.std.length} ` +
        "deviations: one each is needed",
    );
  }
  const stated = weights === null || isUrl(weights) ? null : await recipe.within([...path, "weights"], async () => {
    try {
      return await readImageForm(resolveFile(recipe, weights), image);
    } catch (error) {
      // What is not understood there does not matter where the recipe says it all.
      if (error instanceof UserError && normalise && imageSize !== null) return null;
      throw error;
    }
  });
  const named = imageSize === null ? null : sizeIn(imageSize, stated?.form.resize?.resampling);
  const form: ImageForm = {
    resize: named ?? stated?.form.resize ?? null,
    normalise: normalise ?? stated?.form.normalise ?? image.normalise,
  };
  const contradicted = stated && [
    normalise && !isSameNormalisation(normalise, stated.form.normalise) && "normalise",
    named && named.crop.join() !== stated.form.resize?.crop.join() && "imageSize",
  ].filter((key) => typeof key === "string");
  for (const key of contradicted ?? []) {
    warning(
      `${[...path, key].join(".")} is used, though "${stated!.file}" says ${showForm(image.size, stated!.form)}`,
    );
  }
  if (isInForm(image.size, image.normalise, form)) return null;
  const asStated = stated && contradicted!.length === 0 ? `, as "${stated.file}" says` : "";
  report(`the teacher's images are ${showForm(image.size, form)}${asStated}`);
  const [height, width] = form.resize?.crop ?? image.size;
  const { train, evaluate } = recipe.value;
  const wrong = tooLargeInForm(image.size, form, Math.max(train.batchSize, evaluate.batchSize));
  if (wrong) {
    throw recipe.error([...path, named ? "imageSize" : "weights"], `Cannot give the teacher its images: ${wrong}`);
  }
  return {
    input: { ...input, image: { size: [height, width, channels], normalise: form.normalise } },
    made: JSON.stringify(form),
    batchOf: () => (batch) => ({ image: inImageForm(batch.image, image.normalise, form) }),
  };
}

/** Images of the size that a recipe names. */
function sizeIn(imageSize: number | readonly [number, number], resampling: Resampling = "bilinear") {
  const to = typeof imageSize === "number" ? [imageSize, imageSize] as const : imageSize;
  return { to, crop: to, resampling };
}
