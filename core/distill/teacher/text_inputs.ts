import type { Random } from "../../data/random.ts";
import { isUrl } from "../../data/remote_file.ts";
import { isTokenizerOf } from "../../model_folder/tokenizer_files.ts";
import { tokenizerFolder } from "../../model_folder/input_form.ts";
import type { Checked } from "../../recipe/checked.ts";
import type { Path } from "../../recipe/paths.ts";
import { resolveFile } from "../../recipe/recipe.ts";
import type { OtherTeacherSettings } from "../../recipe/recipe_type.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { divide, type RunData } from "../load_data.ts";
import type { MadeInputs, Tell } from "./own_inputs.ts";

/**
 * The texts of a teacher whose tokenizer makes other tokens of them than the data set's.
 *
 * @param path the teacher's place in the recipe
 * @param random the run's, by which the examples are divided
 * @throws UserError with line and column for files that are wrong, or a recipe that does not fit the data
 */
export async function textInputs(
  recipe: Checked<Recipe>,
  { weights, tokenizer, normalise, imageSize }: OtherTeacherSettings,
  path: Path,
  data: RunData,
  random: Random,
  { report, warning }: Tell,
): Promise<MadeInputs | null> {
  for (const [key, value] of [["normalise", normalise], ["imageSize", imageSize]] as const) {
    if (value !== null) throw recipe.error([...path, key], `Cannot use ${key} for texts: it is for images`);
  }
  const { dataset } = data;
  const own = weights === null || isUrl(weights)
    ? null
    : await tokenizerFolder(weights, (name) => resolveFile(recipe, name));
  const name = tokenizer ?? own;
  if (name === null) return null;
  const place = [...path, tokenizer === null ? "weights" : "tokenizer"];
  if (tokenizer !== null && own !== null && tokenizer !== own) {
    warning(`${place.join(".")} is used, and not the tokenizer in "${own}", with which the teacher was saved`);
  }
  if (!dataset.retokenise) {
    if (tokenizer === null) {
      if (!await isTokenizerOf(dataset.input.text, resolveFile(recipe, name))) {
        warning(
          `whether the teacher's tokenizer in "${name}" is the data set's is not known, as the data set gives its texts in ` +
            "one form: if it is not, the teacher reads other words",
        );
      }
      return null;
    }
    throw recipe.error(place, "Cannot use a tokenizer for the teacher alone: the data set has one form of its texts");
  }
  const other = await recipe.within(place, () => dataset.retokenise!(name));
  if (!other) return null;
  if (dataset.input.task === "tagging") {
    throw recipe.error(
      place,
      `Cannot learn tags from a teacher with another tokenizer: its tokens are not the student's; name "${name}" as ` +
        "dataset.tokenizer",
    );
  }
  report(`the teacher reads texts by the tokenizer in "${name}", and the student by that of the data set`);
  // Its labels are numbered as they were when the student's examples were divided: not as the teacher's classes.
  const theirs = divide(recipe, other, data.sha256, random);
  return {
    input: { ...dataset.input, text: other.input.text },
    // Its files are among those of the run. The version: what was kept before may be of other texts.
    made: "by its own tokenizer, 2",
    batchOf: (same) => {
      const examples = same(theirs);
      return (_, indices) => examples.batch(indices);
    },
  };
}
