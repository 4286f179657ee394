import { UserError } from "../../../errors.ts";
import { matrixSize } from "../../../nn/matrix_size.ts";
import type { Ops } from "../../../ops/ops.ts";
import type { Examples, InputDescription } from "../../../plugin/dataset.ts";
import { factorCount } from "../../../plugin/factors.ts";
import { tryFactors } from "../../../plugin/factored_model.ts";
import type { Model } from "../../../plugin/model.ts";
import { countTrainable } from "../../../plugin/parameters.ts";
import type { Section } from "../../../recipe/checked.ts";
import { assignLayers } from "../../../recipe/globs.ts";
import type { Recipe } from "../../../recipe/schema.ts";
import { sizeOf } from "../../../tensor.ts";

/** Which weights of a student are exported as two factors, and how wide these are. */
export interface FactorPlan {
  /** Shapes by name, in the model's order. */
  readonly weights: ReadonlyMap<string, readonly number[]>;
  /** The rank of each, or as a number below 1 the part of its full one; `null`: as `parameters` says. */
  readonly rank: number | null;
  /** Numbers of the whole student that are left at most; `null`: as `rank` says. */
  readonly parameters: number | null;
}

/**
 * What `export.keepFactors` says for a student; `null` where nothing is to be factors.
 *
 * @param chains the weights that are over-parameterised
 * @throws UserError with line and column for a pattern that matches nothing, weights of which nothing becomes smaller,
 * and a number of parameters that cannot be left
 */
export function factorPlan(
  recipe: Section<Recipe["export"]>,
  model: Model,
  chains: { has(name: string): boolean },
): FactorPlan | null {
  const { keepFactors, rank, parameters } = recipe.value;
  if (keepFactors === false) return null;
  const all = new Map(
    model.parameters.filter(({ overParameterisable }) => overParameterisable).map(({ name, shape }) => [name, shape]),
  );
  const names = keepFactors === true ? [...all.keys()].filter((name) => chains.has(name)) : [
    ...assignLayers(
      [{ layers: keepFactors }],
      [...all.keys()],
      (_, sentence) => recipe.error(["keepFactors"], sentence),
    ).keys(),
  ];
  if (names.length === 0) {
    throw recipe.error(
      ["keepFactors"],
      "Cannot keep factors of over-parameterised weights: there are none; expected patterns of names, or " +
        "student.overParameterise",
    );
  }
  const plan = { weights: new Map(names.map((name) => [name, all.get(name)!])), rank, parameters };
  if (rank !== null) expectSmaller(recipe, plan);
  else expectReachable(recipe, plan, model);
  return plan;
}

/** The most singular values of a weight that are not zero. */
export function fullRank(shape: readonly number[]): number {
  const { rows, cols } = matrixSize(shape);
  return Math.min(rows, cols);
}

/** The rank that a plan states for a weight. */
export function statedRank(rank: number, shape: readonly number[]): number {
  const full = fullRank(shape);
  return rank < 1 ? Math.max(1, Math.round(rank * full)) : Math.min(rank, full);
}

/** How many numbers a weight has at a rank: those of its factors, unless it has as few itself. */
export function countAt(shape: readonly number[], rank: number): number {
  return Math.min(sizeOf(shape), factorCount(shape, rank));
}

function expectSmaller(recipe: Section<Recipe["export"]>, { weights, rank }: FactorPlan): void {
  if ([...weights.values()].some((shape) => factorCount(shape, statedRank(rank!, shape)) < sizeOf(shape))) return;
  const most = Math.max(...[...weights.values()].map((shape) => Math.ceil(sizeOf(shape) / factorCount(shape, 1)) - 1));
  throw recipe.error(
    ["rank"],
    `Cannot make a weight smaller by factors of rank ${rank}: expected ${
      most > 0 ? `at most ${most}` : "larger weights"
    }, or a part of the full rank`,
  );
}

function expectReachable(recipe: Section<Recipe["export"]>, { weights, parameters }: FactorPlan, model: Model): void {
  const all = countTrainable(model.parameters);
  const least = [...weights.values()].reduce((sum, shape) => sum - sizeOf(shape) + countAt(shape, 1), all);
  if (parameters! >= least && parameters! < all) return;
  const [wanted, from, to] = [parameters!, least, all - 1].map((number) => number.toLocaleString("en"));
  throw recipe.error(
    ["parameters"],
    `Cannot leave ${wanted} numbers of a student of ${all.toLocaleString("en")} by factors: expected ${from}, where ` +
      `each has rank 1, to ${to}`,
  );
}

/**
 * Looks, before anything is trained, whether the model does with these weights what can be done with factors.
 *
 * @throws UserError with line and column if it does not
 */
export async function expectFactorable(
  recipe: Section<Recipe["export"]>,
  ops: Ops,
  plan: FactorPlan,
  { model, input, examples }: { readonly model: Model; readonly input: InputDescription; readonly examples: Examples },
): Promise<void> {
  await examples.fetch?.(Uint32Array.of(0));
  recipe.within(["keepFactors"], () => {
    if (input.task === "embedding") {
      throw new UserError(
        "Cannot keep factors of a model that makes vectors of texts: sentence-transformers, for which its folder is, " +
          "knows none",
      );
    }
    tryFactors(ops, model, [...plan.weights.keys()], examples.batch(Uint32Array.of(0)));
  });
}
