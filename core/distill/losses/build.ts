import type { Random } from "../../data/random.ts";
import { UserError } from "../../errors.ts";
import { initialise, type Initialiser } from "../../nn/initialisers.ts";
import { ParameterStore } from "../../nn/parameter_store.ts";
import { type Weights, weightsFrom } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Loss, LossSetup } from "../../plugin/loss.ts";
import type { Checked } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Tensor } from "../../tensor.ts";
import type { WeightedLoss } from "./objective.ts";
import type { Resolved } from "../resolve_plugins.ts";

/** The losses of a run, with the parameters and the state that they own. */
export interface BuiltLosses {
  readonly losses: readonly WeightedLoss[];
  readonly parameters: ParameterStore;
  /** What losses keep from step to step, by the name it has in a checkpoint. */
  readonly state: ReadonlyMap<string, Tensor>;
}

/** `kd`, or `kd 2` for the second of them. */
function numbered(names: readonly string[]): string[] {
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name} ${before + 1}`;
  });
}

/**
 * Creates the losses that a recipe names, with fresh parameters and state where they own any.
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
  const specs = ownedBy(built, names, "parameters");
  const parameters = new ParameterStore(ops, specs);
  for (const { name, initialise: how, shape } of specs) {
    parameters.set(name, initialise(how, shape, random.split(name)));
  }
  const stateSpecs = ownedBy(built, names, "state");
  const state = new Map(stateSpecs.map(({ name, initialise: how, shape }) => {
    const numbers = initialise(how, shape, random.split(`state of ${name}`));
    return [name, ops.keep(ops.tensor(numbers, shape))];
  }));
  const losses = built.map((loss, index): WeightedLoss => ({
    name: names[index],
    weight: recipe.value.losses[index].weight,
    loss,
    parameters: tensorsOf(index, specs, parameters.tensors),
    state: tensorsOf(index, stateSpecs, state),
  }));
  return { losses, parameters, state };
}

/** A tensor of a loss, under a name that no other loss has. */
interface Owned {
  readonly name: string;
  /** The name that the loss gave it. */
  readonly own: string;
  /** The loss's place. */
  readonly loss: number;
  readonly shape: readonly number[];
  readonly initialise: Initialiser;
}

function ownedBy(losses: readonly Loss[], names: readonly string[], kind: "parameters" | "state"): Owned[] {
  return losses.flatMap((loss, index) =>
    (loss[kind] ?? []).map(({ name, shape, initialise }) => {
      return { name: `${names[index]}: ${name}`, own: name, loss: index, shape, initialise };
    })
  );
}

function tensorsOf(loss: number, specs: readonly Owned[], tensors: ReadonlyMap<string, Tensor>): Weights {
  const own = specs.filter((spec) => spec.loss === loss);
  return weightsFrom(new Map(own.map((spec) => [spec.own, tensors.get(spec.name)!])));
}
