import type { Random } from "../data/random.ts";
import { UserError } from "../errors.ts";
import { initialise } from "../nn/initialisers.ts";
import { ParameterStore } from "../nn/parameter_store.ts";
import { weightsFrom } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Loss, LossSetup } from "../plugin/loss.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { WeightedLoss } from "./objective.ts";
import type { Resolved } from "./resolve_plugins.ts";

/** The losses of a run, and the store of the parameters that they own. */
export interface BuiltLosses {
  readonly losses: readonly WeightedLoss[];
  readonly parameters: ParameterStore;
}

/** `kd`, or `kd 2` for the second of them. */
function numbered(names: readonly string[]): string[] {
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name} ${before + 1}`;
  });
}

/**
 * Creates the losses that a recipe names, with fresh parameters where they own any.
 *
 * @throws UserError with line and column for options that do not fit the models, or a loss that needs a missing teacher
 */
export async function buildLosses(
  ops: Ops,
  recipe: Checked<Recipe>,
  resolved: readonly Resolved<"loss">[],
  setup: LossSetup,
  random: Random,
): Promise<BuiltLosses> {
  const names = numbered(resolved.map(({ definition }) => definition.name));
  const built: Loss[] = [];
  for (const { definition, options, path } of resolved) {
    try {
      const loss = await definition.create(options, setup);
      if (!Array.isArray(loss?.teacherOutputs) || typeof loss.compute !== "function") {
        throw new UserError(
          `Cannot use the loss "${definition.name}": its create must give { teacherOutputs: [...], compute(call) {...} }`,
        );
      }
      if (loss.teacherOutputs.length > 0 && !setup.teacher) {
        throw new UserError(`Cannot use the loss "${definition.name}" without a teacher`);
      }
      built.push(loss);
    } catch (error) {
      throw error instanceof UserError ? recipe.error(path, error.message) : error;
    }
  }
  const specs = built.flatMap((loss, index) =>
    (loss.parameters ?? []).map((spec) => ({
      ...spec,
      own: spec.name,
      loss: index,
      name: `${names[index]}: ${spec.name}`,
    }))
  );
  const parameters = new ParameterStore(ops, specs);
  for (const { name, initialise: how, shape } of specs) {
    parameters.set(name, initialise(how, shape, random.split(name)));
  }
  const losses = built.map((loss, index): WeightedLoss => {
    const own = specs.filter((spec) => spec.loss === index);
    const tensors = new Map(own.map((spec) => [spec.own, parameters.get(spec.name)]));
    return { name: names[index], weight: recipe.value.losses[index].weight, loss, parameters: weightsFrom(tensors) };
  });
  return { losses, parameters };
}
