import type { Ops } from "../ops/ops.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import { ensemble, memberName } from "./ensemble.ts";
import type { TaughtModel } from "./initial_weights.ts";
import { buildModel, freeze, type FrozenWeights, readRecipeWeights } from "./models.ts";
import type { ResolvedPlugins } from "./resolve_plugins.ts";
import type { Teacher } from "./teacher_outputs.ts";

/** A teacher, or several as one, with its weights on the device and as plain numbers. */
export interface LoadedTeacher extends Teacher {
  readonly model: Model;
  readonly weights: FrozenWeights;
  readonly numbers: ReadonlyMap<string, Float32Array>;
  /** The first of several teachers, else the teacher: what students start from and are aligned with. */
  readonly first: TaughtModel;
}

/** Builds the recipe's teachers and reads their weights. @throws UserError with line and column */
export async function loadTeacher(
  ops: Ops,
  recipe: Checked<Recipe>,
  { teacher: main, otherTeachers }: ResolvedPlugins,
  data: InputDescription,
): Promise<LoadedTeacher | null> {
  const settings = recipe.value.teacher;
  if (!main || !settings) return null;
  const members: (TaughtModel & { readonly share: number })[] = [];
  for (const [index, plugin] of [main, ...otherTeachers].entries()) {
    const { weights, share } = index === 0 ? settings : settings.others[index - 1];
    const model = buildModel(recipe, plugin, data);
    const numbers = await readRecipeWeights(recipe, "teacher", weights, model, [], [...plugin.path, "weights"]);
    members.push({ model, numbers, share });
  }
  const [first] = members;
  if (members.length === 1) return { ...first, first, weights: freeze(ops, first.model, first.numbers) };
  const model = ensemble(members, data.task);
  const numbers = new Map(
    members.flatMap((member, index) =>
      [...member.numbers].map(([name, values]) => [memberName(index, name), values] as const)
    ),
  );
  return { model, numbers, first, weights: freeze(ops, model, numbers) };
}
