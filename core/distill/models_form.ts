import { inImageForm, isInForm, showForm, tooLargeInForm } from "../data/image_form.ts";
import type { Random } from "../data/random.ts";
import { UserError } from "../errors.ts";
import { readImageForm, tokenizerFolder } from "../model_folder/input_form.ts";
import { resolve } from "../paths.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import { divide, type RunData } from "./load_data.ts";
import { mapBatches, mapExamples } from "./map_examples.ts";

/**
 * A run's data as a saved model takes it: texts by the tokenizer in its folder, images of its size and normalised as
 * it says.
 *
 * @param folder the model's
 * @param random the run's, by which the examples are divided
 * @param report takes lines for the user
 * @throws UserError for files that are wrong
 */
export async function inModelsForm(
  folder: string,
  recipe: Checked<Recipe>,
  data: RunData,
  random: Random,
  report: (line: string) => void,
): Promise<RunData> {
  const { dataset } = data;
  const { image, text } = dataset.input;
  if (text) {
    const tokenizer = await tokenizerFolder(folder, (name) => name);
    const other = tokenizer && await dataset.retokenise?.(resolve(tokenizer));
    if (!other) return data;
    report(`texts are read by the tokenizer in "${tokenizer}", which makes other tokens than the data set's`);
    return divide(recipe, other, data.sha256, random);
  }
  const stated = image && await readImageForm(folder, image);
  if (!image || !stated || isInForm(image.size, image.normalise, stated.form)) return data;
  const { form, file } = stated;
  const [height, width] = form.resize?.crop ?? image.size;
  const wrong = tooLargeInForm(image.size, form, recipe.value.evaluate.batchSize);
  if (wrong) throw new UserError(`Cannot give the model in "${folder}" its images: ${wrong}`);
  report(`images are ${showForm(image.size, form)}, as "${file}" says`);
  const changed = mapExamples(
    data,
    (examples) =>
      mapBatches(examples, (batch) => ({ ...batch, image: inImageForm(batch.image, image.normalise, form) })),
  );
  const described = { size: [height, width, image.size[2]] as const, normalise: form.normalise };
  const input = { ...dataset.input, image: described };
  return { ...changed, dataset: { ...changed.dataset, input } };
}
