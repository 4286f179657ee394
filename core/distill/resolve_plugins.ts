import { resolveFile } from "../recipe/recipe.ts";
import type { Checked } from "../recipe/checked.ts";
import { type Recipe, sharedKeys } from "../recipe/schema.ts";
import type { Path } from "../recipe/paths.ts";
import { UserError } from "../errors.ts";
import { optionKit } from "../plugin/kit.ts";
import { type Builtins, type Definitions, isPluginFile, loadPluginFile, type PluginKind } from "../plugin/registry.ts";

/** A plug-in of a recipe with its checked options. */
export interface Resolved<Kind extends PluginKind> {
  readonly definition: Definitions[Kind];
  // The type of the options is the plug-in's own affair.
  // deno-lint-ignore no-explicit-any
  readonly options: any;
  /** Where it stands in the recipe. */
  readonly path: Path;
}

/** All plug-ins of a recipe. */
export interface ResolvedPlugins {
  readonly dataset: Resolved<"dataset">;
  readonly teacher: Resolved<"model"> | null;
  readonly student: Resolved<"model">;
  readonly losses: readonly Resolved<"loss">[];
}

/**
 * Finds the plug-ins that a recipe names and checks their options by their own schemas; the defaults are filled in.
 *
 * @throws UserError with line and column for an unknown plug-in or a wrong option
 */
export async function resolvePlugins(recipe: Checked<Recipe>, builtins: Builtins): Promise<ResolvedPlugins> {
  const resolve = async <Kind extends PluginKind>(
    kind: Kind,
    path: Path,
    use: string,
    otherKeys: readonly string[],
  ): Promise<Resolved<Kind>> => {
    const known: readonly Definitions[Kind][] = builtins[kind];
    let definition = known.find(({ name }) => name === use);
    if (!definition && isPluginFile(use)) {
      try {
        definition = await loadPluginFile(kind, use, resolveFile(recipe, "."));
      } catch (error) {
        throw error instanceof UserError ? recipe.error([...path, "use"], error.message) : error;
      }
    }
    if (!definition) {
      recipe.oneOf([...path, "use"], kind, known.map(({ name }) => name));
      throw new Error("unreachable: the name is not among the built-in ones");
    }
    return { definition, options: recipe.check(path, definition.options(optionKit), otherKeys), path };
  };

  const { dataset, teacher, student, losses } = recipe.value;
  const resolved: Resolved<"loss">[] = [];
  for (const [index, { use }] of losses.entries()) {
    resolved.push(await resolve("loss", ["losses", index], use, sharedKeys.loss));
  }
  return {
    dataset: await resolve("dataset", ["dataset"], dataset.use, sharedKeys.dataset),
    teacher: teacher && await resolve("model", ["teacher"], teacher.use, sharedKeys.teacher),
    student: await resolve("model", ["student"], student.use, sharedKeys.student),
    losses: resolved,
  };
}
