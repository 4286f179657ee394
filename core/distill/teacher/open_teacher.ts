import { isUrl } from "../../data/remote_file.ts";
import { readUserFile } from "../../files.ts";
import type { Ops } from "../../ops/ops.ts";
import type { InputDescription } from "../../plugin/dataset.ts";
import type { OpenedModel } from "../../plugin/model.ts";
import type { Checked } from "../../recipe/checked.ts";
import { resolveFile } from "../../recipe/recipe.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { sha256 } from "../../sha256.ts";
import { buildModel, readRecipeWeights } from "../recipe_models.ts";
import type { Resolved } from "../resolve_plugins.ts";

/** A teacher of a recipe. */
export interface OpenedTeacher extends OpenedModel {
  /** Its tensors; none for a model that brings its own files. */
  readonly numbers: ReadonlyMap<string, Float32Array>;
  /** SHA-256 of each file that such a model read, in the order of their paths. */
  readonly files: readonly string[];
}

/**
 * Builds a teacher and reads its weights, or lets it read its own files.
 *
 * @param weights what the recipe names for it
 * @param report takes lines for the user
 * @throws UserError with line and column if something cannot be read or does not fit the data
 */
export async function openTeacher(
  ops: Ops,
  recipe: Checked<Recipe>,
  plugin: Resolved<"model">,
  weights: string,
  data: InputDescription,
  report: (line: string) => void,
): Promise<OpenedTeacher> {
  const { definition, options, path } = plugin;
  const place = [...path, "weights"];
  if (!definition.open) {
    const model = buildModel(recipe, plugin, data);
    const numbers = await readRecipeWeights(recipe, "teacher", weights, model, { path: place, report });
    return { model, numbers, files: [], dispose: () => {} };
  }
  if (isUrl(weights)) {
    throw recipe.error(place, `Cannot load a teacher from "${weights}": download its files and name their path`);
  }
  const files = new Map<string, string>();
  return await recipe.within(path, async () => {
    const opened = await definition.open!(options, data, {
      ops,
      path: resolveFile(recipe, weights),
      async readFile(file, what) {
        const bytes = await readUserFile(file, what);
        files.set(file, await sha256(bytes));
        return bytes;
      },
      report,
    });
    const hashes = [...files].sort(([a], [b]) => a < b ? -1 : 1).map(([, hash]) => hash);
    return { ...opened, numbers: new Map(), files: hashes };
  });
}
