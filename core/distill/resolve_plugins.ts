import { isUrl } from "../data/remote_file.ts";
import { resolveFile } from "../recipe/recipe.ts";
import type { Checked } from "../recipe/checked.ts";
import { type Recipe, sharedKeys } from "../recipe/schema.ts";
import { type Path, showPath } from "../recipe/paths.ts";
import { optionKit } from "../plugin/kit.ts";
import { placeDefinition } from "../plugin/placed.ts";
import { completeOptions, followTeacher } from "./complete_options.ts";
import { loadPluginUrl } from "../plugin/remote.ts";
import { type Builtins, type Definitions, isPluginFile, loadPluginFile, type PluginKind } from "../plugin/registry.ts";

/** What `weights` of a teacher names. */
const WEIGHTS = "a folder or a .safetensors file of the trained weights";

/** A plug-in of a recipe with its checked options. */
export interface Resolved<Kind extends PluginKind> {
  readonly definition: Definitions[Kind];
  // The type of the options is the plug-in's own affair.
  // deno-lint-ignore no-explicit-any
  readonly options: any;
  /** Its place in the recipe. */
  readonly path: Path;
  /**
   * Of a model the options that the recipe leaves open and files say, such as the config.json beside its weights; the
   * names of its classes aside, which its outputs do not hang on.
   */
  readonly filled?: Readonly<Record<string, unknown>>;
}

/** All plug-ins of a recipe. */
export interface ResolvedPlugins {
  readonly dataset: Resolved<"dataset">;
  readonly teacher: Resolved<"model"> | null;
  /** Further teachers, in the recipe's order. */
  readonly otherTeachers: readonly Resolved<"model">[];
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
    { use, integrity = null }: { readonly use: string; readonly integrity?: string | null },
    otherKeys: readonly string[],
  ): Promise<Resolved<Kind>> => {
    if (integrity !== null && !isUrl(use)) {
      throw recipe.error(
        [...path, "integrity"],
        `Cannot use integrity with "${use}": it is for a plug-in named by its address`,
      );
    }
    const byKind: { readonly [Kind in PluginKind]: readonly Definitions[Kind][] } = builtins;
    const known: readonly Definitions[Kind][] = byKind[kind];
    let definition = known.find(({ name }) => name === use);
    if (!definition && (isUrl(use) || isPluginFile(use))) {
      definition = await recipe.within(
        [...path, "use"],
        async () => {
          if (isUrl(use)) {
            return await loadPluginUrl(kind, { url: use, integrity, allowed: builtins.allowUrls ?? false });
          }
          await builtins.beforeFile?.({ kind, path: resolveFile(recipe, use), recipe: recipe.file });
          return await loadPluginFile(kind, use, resolveFile(recipe, "."));
        },
      );
    }
    if (!definition) {
      recipe.oneOf([...path, "use"], kind, known.map(({ name }) => name));
      throw new Error("unreachable: the name is not among the built-in ones");
    }
    definition = placeDefinition(definition, (body) => recipe.within(path, body));
    const schema = definition.options(optionKit);
    return { definition, options: recipe.within(path, () => recipe.check(path, schema, otherKeys)), path };
  };

  const resolveModel = async (
    path: Path,
    otherKeys: readonly string[],
    model: { readonly use: string; readonly integrity?: string | null; readonly weights: string | null },
  ): Promise<Resolved<"model">> => {
    const resolved = await resolve("model", path, model, otherKeys);
    const { record } = resolved.definition;
    if (path[0] === "teacher" && (record === undefined) === (model.weights === null)) {
      throw record
        ? recipe.error([...path, "weights"], `Cannot use weights with "${model.use}", which is a file of outputs`)
        : recipe.error(path, `Missing key "weights" in ${showPath(path)}: expected ${WEIGHTS}`);
    }
    return completeOptions(recipe, resolved, model.weights);
  };

  const { dataset, teacher, student, losses } = recipe.value;
  const resolved: Resolved<"loss">[] = [];
  for (const [index, loss] of losses.entries()) {
    resolved.push(await resolve("loss", ["losses", index], loss, sharedKeys.loss));
  }
  const otherTeachers: Resolved<"model">[] = [];
  for (const [index, other] of (teacher?.others ?? []).entries()) {
    otherTeachers.push(await resolveModel(["teacher", "others", index], sharedKeys.otherTeacher, other));
  }
  const resolvedTeacher = teacher && await resolveModel(["teacher"], sharedKeys.teacher, teacher);
  return {
    dataset: await resolve("dataset", ["dataset"], dataset, sharedKeys.dataset),
    teacher: resolvedTeacher,
    otherTeachers,
    student: followTeacher(recipe, await resolveModel(["student"], sharedKeys.student, student), resolvedTeacher),
    losses: resolved,
  };
}
