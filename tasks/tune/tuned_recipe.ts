import { applyOverride, type Override } from "../../core/recipe/overrides.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { isMap, startsWith } from "../../core/recipe/paths.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { readYaml } from "../../core/recipe/yaml_source.ts";
import { lengthened } from "../experiment/lengthen.ts";
import { readText, recipeRow } from "../experiment/read_experiment.ts";
import type { Row } from "../experiment/experiment.ts";
import { hasChains } from "./default_space.ts";
import { epochsOver } from "./pace.ts";
import type { Configuration, Space } from "./space.ts";

/** A recipe that is tuned. */
export interface TunedRecipe {
  readonly row: Row;
  /** As it was written, with what flags set. */
  readonly written: unknown;
}

/**
 * Reads a recipe to be tuned.
 *
 * @throws UserError for a mistake in it, or if it cannot be tuned
 */
export async function readTuned(file: string, changes: readonly Override[]): Promise<TunedRecipe> {
  const text = await readText(file);
  const row = recipeRow("tune", file, text, changes);
  const recipe = row.recipe([]);
  const { name, validation, train } = recipe.value;
  if (validation === null) {
    throw recipe.error(
      ["validation"],
      `Cannot tune "${name}" without validation examples, as the test examples are for the end alone: ` +
        "--set 'validation={fraction: 0.1}' keeps a tenth of the training examples out",
    );
  }
  if (train.maxSteps !== null) {
    throw recipe.error(
      ["train", "maxSteps"],
      "Cannot tune a training that ends after some steps, as trials are compared after whole epochs: leave it out",
    );
  }
  const { value } = readYaml(text);
  const written = isMap(value) ? value : {};
  for (const change of changes) applyOverride(written, { ...change, value: structuredClone(change.value) });
  return { row, written };
}

/**
 * The recipe of a configuration, with one of the seeds and in a run folder.
 *
 * @param resource the part of its length over which it is trained, with schedules that are as short
 */
export function configured(
  { row }: TunedRecipe,
  space: Space,
  configuration: Configuration,
  seed: number,
  output: string,
  resource = 1,
): Checked<Recipe> {
  const overrides: Override[] = [
    ...space.overrides(configuration),
    { path: ["seed"], value: seed, label: `seed ${seed}` },
    { path: ["output"], value: output, label: "--output" },
  ];
  overrides.push(...stretched(row, space, configuration, row.recipe(overrides).value));
  const whole = row.recipe(overrides);
  const { losses, train: { epochs } } = whole.value;
  const kept = losses.filter(({ use }) => use !== "tensor-alignment");
  const idle = !hasChains(whole.value) && kept.length < losses.length;
  if (idle && kept.length > 0 && Object.keys(configuration).length > 0) {
    // A loss between the cores of chains goes with the last chain; what it is given by other levers then means nothing.
    overrides.push({ path: ["losses"], value: kept, label: "a student without chains" });
  }
  const recipe = row.recipe(overrides);
  const part = epochsOver(epochs, resource);
  return part === epochs ? recipe : row.recipe([...overrides, ...lengthened(recipe.value, part, `${part} epochs`)]);
}

/**
 * What a recipe's other lengths become where a lever has made its training longer: its schedules are those of the
 * recipe, over the new length. What that lever says of them itself stays.
 *
 * @param changed the recipe with what the levers set
 */
function stretched(row: Row, space: Space, configuration: Configuration, changed: Recipe): Override[] {
  const own = row.recipe([]).value.train.epochs;
  const { epochs } = changed.train;
  if (epochs === own) return [];
  const said = space.levers.map(({ name }) => space.overrides({ [name]: configuration[name] }))
    .filter((overrides) => overrides.some(({ path }) => startsWith(["train", "epochs"], path))).flat();
  const before = { ...changed, train: { ...changed.train, epochs: own } };
  return lengthened(before, epochs, `${epochs} epochs`).filter(({ path }) =>
    !said.some((other) => startsWith(path, other.path))
  );
}
