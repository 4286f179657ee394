import assert from "node:assert/strict";
import { Random } from "../../core/data/random.ts";
import { resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import { UserError } from "../../core/errors.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import type { Builtins, PluginKind } from "../../core/plugin/registry.ts";
import { type Checked, parseChecked } from "../../core/recipe/checked.ts";
import { parseOverride } from "../../core/recipe/overrides.ts";
import { isMap } from "../../core/recipe/paths.ts";
import { type Recipe, recipeSchema } from "../../core/recipe/schema.ts";
import { stringifyRecipe } from "../../core/recipe/write_recipe.ts";
import { readYaml } from "../../core/recipe/yaml_source.ts";
import { builtins } from "../../plugins/builtins.ts";
import { experimentFrom, isExperiment } from "../../tasks/experiment/read_experiment.ts";
import { isSeries } from "../../tasks/experiment/read_series.ts";
import { isStages, planStages, stagesFrom } from "../../tasks/stages/read_stages.ts";
import { seriesSchema } from "../../tasks/experiment/schema.ts";
import type { Campaign } from "./campaign.ts";
import { type Mutant, mutate } from "./recipes/mutations.ts";
import { checkRefusal } from "./recipes/sentences.ts";

const FOLDER = "tasks/recipes";

export const shipped = Array.from(Deno.readDirSync(FOLDER), ({ name }) => name).filter((name) => name.endsWith(".yaml"))
  .sort()
  .map((name) => ({ file: `${FOLDER}/${name}`, text: Deno.readTextFileSync(`${FOLDER}/${name}`) }));

/** The built-in ones with schemas that are made once: most of a trial's time would be making them again. */
const plugins: Builtins = {
  model: builtins.model.map(withOneSchema),
  loss: builtins.loss.map(withOneSchema),
  dataset: builtins.dataset.map(withOneSchema),
};

function withOneSchema<Definition extends Builtins[PluginKind][number]>(definition: Definition): Definition {
  const schema = definition.options(optionKit);
  return { ...definition, options: () => schema };
}

const MOST_SECONDS = 10;
const MOST_BYTES = 512 * 2 ** 20;

/**
 * Recipes and experiments that are shipped, each with a slip or two, read as a run reads them: with the options of
 * plug-ins, but without the data. The answer is a recipe in which all stands that was written, or sentences that each
 * have a place, the value, and what would be right.
 */
export const recipeFuzz: Campaign = {
  name: "mutated recipes",
  quick: 150,
  async trial(seed) {
    const random = new Random(seed).split("recipes");
    const { file, text } = shipped[random.below(shipped.length)];
    const mutant = mutate(random, text);
    const before = { time: performance.now(), bytes: Deno.memoryUsage().rss };
    try {
      const refusal = await read(file, mutant);
      if (refusal !== undefined) checkRefusal(refusal, { file, ...mutant });
      assert.ok(refusal !== undefined || mutant.done !== "repeated", "a key that is given twice is taken");
      const [seconds, bytes] = [(performance.now() - before.time) / 1000, Deno.memoryUsage().rss - before.bytes];
      assert.ok(seconds < MOST_SECONDS, `took ${seconds.toFixed(1)} s`);
      assert.ok(bytes < MOST_BYTES, `took ${bytes} bytes`);
      return refusal === undefined ? "fine" : "refused";
    } catch (error) {
      const { stack, message } = error as Error;
      const what = error instanceof UserError || error instanceof assert.AssertionError ? message : stack;
      throw new Error(`${file}, ${mutant.done} ${mutant.overrides.join(" ")}: ${what}`, { cause: error });
    }
  },
};

/** Reads a mutant, and what it gives again. @returns the refusal, if it is one */
export async function read(file: string, { text, overrides }: Mutant): Promise<string | undefined> {
  try {
    for (const recipe of await recipesOf(file, text, overrides)) {
      await resolvePlugins(recipe, plugins);
      await checkLegal(recipe, file, text, overrides);
    }
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

async function recipesOf(file: string, text: string, overrides: readonly string[]): Promise<Checked<Recipe>[]> {
  if (isSeries(text)) {
    parseChecked(text, file, seriesSchema, { overrides });
    return [];
  }
  if (isStages(text)) {
    const planned = planStages(await stagesFrom(file, text), "runs/stages", overrides.map(parseOverride));
    return planned.map(({ recipe }) => recipe);
  }
  if (!isExperiment(text)) return [parseChecked(text, file, recipeSchema, { overrides })];
  const { rows } = await experimentFrom(file, text);
  return rows.map((row) => row.recipe(overrides.map((override) => parseOverride(override))));
}

/** What was written stands in a recipe, numbers are finite, and written out it is the same recipe again. */
async function checkLegal(recipe: Checked<Recipe>, file: string, text: string, overrides: readonly string[]) {
  const { value } = recipe;
  noteOddities(value, "recipe");
  if (overrides.length === 0 && !isExperiment(text) && !isStages(text)) {
    checkKept(readYaml(text).value, value, "recipe");
  }
  const again = parseChecked(stringifyRecipe(value), file, recipeSchema);
  await resolvePlugins(again, plugins);
  assert.deepEqual(again.value, value);
}

function noteOddities(value: unknown, path: string): void {
  const legal = typeof value === "number" ? Number.isFinite(value) : value === null || typeof value !== "undefined" &&
      (typeof value !== "object" || Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype);
  assert.ok(legal, `${path} is no legal ${typeof value}`);
  if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) noteOddities(inner, `${path}.${key}`);
  }
}

function checkKept(written: unknown, read: unknown, path: string): void {
  if (Array.isArray(written) || isMap(written)) {
    assert.ok(typeof read === "object" && read !== null, `${path} is lost: ${JSON.stringify(read)}`);
    assert.equal(Array.isArray(read), Array.isArray(written), path);
    for (const [key, inner] of Object.entries(written)) {
      assert.ok(Object.hasOwn(read, key), `${path}.${key} is lost`);
      checkKept(inner, Reflect.get(read, key), `${path}.${key}`);
    }
  } else if (path !== "recipe.output") {
    assert.equal(read, written, path);
  }
}
