import { isSameNormalisation } from "../../data/image_form.ts";
import { isUrl } from "../../data/remote_file.ts";
import { readImageForm, tokenizerFolder } from "../../model_folder/input_form.ts";
import type { Checked } from "../../recipe/checked.ts";
import { resolveFile } from "../../recipe/recipe.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { readClassNames } from "../../model_folder/class_names.ts";
import { areSameClasses, sayNothing } from "../../plugin/class_names.ts";
import { listSome } from "../../recipe/words.ts";
import type { RunData } from "../load_data.ts";

const startsFromTeacher = ({ initialise }: Recipe["student"]) => initialise?.from === "teacher";

/** The weights that the student starts from, as the recipe names them; `null` for fresh ones. */
function startOf({ student, teacher }: Recipe): string | null {
  const weights = startsFromTeacher(student) ? teacher?.weights ?? null : student.weights;
  return weights !== null && !isUrl(weights) ? weights : null;
}

/**
 * The tokenizer of the model that the student starts from, by which texts are read unless the recipe names another.
 *
 * @returns as the recipe could name it; `null` where there is none
 */
export async function startingTokenizer(recipe: Checked<Recipe>): Promise<string | null> {
  const { student, teacher } = recipe.value;
  if (startsFromTeacher(student) && teacher?.tokenizer) return teacher.tokenizer;
  const start = startOf(recipe.value);
  return start === null ? null : await tokenizerFolder(start, (name) => resolveFile(recipe, name));
}

/**
 * Warns of a student that starts from a model which was trained on other numbers than the data set gives: on tokens of
 * another tokenizer, or on images that were normalised otherwise; and of one that keeps a head for other classes.
 *
 * @throws UserError for files that are wrong
 */
export async function checkStart(
  recipe: Checked<Recipe>,
  { dataset }: RunData,
  warning: (line: string) => void,
): Promise<void> {
  const start = startOf(recipe.value);
  if (start === null) return;
  const { image, text, classes } = dataset.input;
  const others = await otherClasses(recipe, start, classes);
  if (others) {
    warning(
      `the student starts with the head of "${start}", whose classes are ${listSome(others, "and")}, not ` +
        `${listSome(classes, "and")}: head: fresh in student gives it a new one`,
    );
  }
  if (image) {
    const { normalise } = startsFromTeacher(recipe.value.student) ? recipe.value.teacher! : { normalise: null };
    const stated = normalise ?? (await readImageForm(resolveFile(recipe, start), image))?.form.normalise;
    if (!stated || isSameNormalisation(stated, image.normalise)) return;
    const list = (numbers: readonly number[]) =>
      `[${numbers.map((number) => Number(number.toPrecision(6))).join(", ")}]`;
    return warning(
      `the student starts from "${start}", whose images were normalised otherwise than the data set's: ` +
        `mean: ${list(stated.mean)} and std: ${list(stated.std)} in dataset do it alike`,
    );
  }
  const tokenizer = text && await startingTokenizer(recipe);
  if (!tokenizer || !await dataset.retokenise?.(tokenizer)) return;
  warning(
    `the student starts from "${start}", whose tokenizer numbers tokens otherwise than the data set's: what it learned ` +
      `of words is of other words; leave dataset.tokenizer out, or set it to "${tokenizer}"`,
  );
}

/**
 * The classes of the head that a student keeps from weights, where they are as many as the data set's and others; a
 * teacher's are held against those before.
 */
async function otherClasses(
  recipe: Checked<Recipe>,
  start: string,
  classes: readonly string[],
): Promise<readonly string[] | null> {
  const { student } = recipe.value;
  if (student.head === "fresh" || startsFromTeacher(student) || classes.length === 0) return null;
  const own = await recipe.within(["student", "weights"], () => readClassNames(resolveFile(recipe, start))) ?? [];
  // Another number of them does not fit, and is refused as the weights are read.
  const isOther = own.length === classes.length && !sayNothing(own, classes) && !areSameClasses(own, classes);
  return isOther ? own : null;
}
