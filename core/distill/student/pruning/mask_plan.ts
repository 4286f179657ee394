import type { Random } from "../../../data/random.ts";
import type { KeptChannels, Numbers } from "../../../plugin/inner_widths.ts";
import type { Model } from "../../../plugin/model.ts";
import { countTrainable } from "../../../plugin/parameters.ts";
import type { Section } from "../../../recipe/checked.ts";
import { assignLayers } from "../../../recipe/globs.ts";
import type { PruneSettings } from "../../../recipe/recipe_type.ts";
import { groupsOf } from "../../../recipe/schema_prune.ts";
import { showShape, sizeOf } from "../../../tensor.ts";
import type { Pruned } from "../student.ts";
import { chooseChannels, chosenWidths } from "./channels.ts";

/** How weights are masked: which, by what, and when. */
export interface MaskPlan {
  /** Shapes by name, in the model's order. */
  readonly weights: ReadonlyMap<string, readonly number[]>;
  readonly method: PruneSettings["method"];
  /** How many weights of each group of inputs stay; `null`: weights are held against others, wherever they are. */
  readonly groups: { readonly kept: number; readonly of: number } | null;
  /** The channels that stay where a share of those that go has gone; `null`: single weights go. */
  readonly channels: ((numbers: Numbers, random: Random, share: number) => KeptChannels) | null;
  /** Whether against those of their own matrix alone. */
  readonly byLayer: boolean;
  /** The share of the weights that is zero at the end; of channels 1, as {@link channels} know how many go. */
  readonly amount: number;
  readonly schedule: "cubic" | "once";
  /** The share of the training steps after which no mask changes. */
  readonly over: number;
}

/** Names and shapes of the matrices and filters that may be masked: those that may be trained as chains. */
export function maskable({ parameters }: Pick<Model, "parameters">): Map<string, readonly number[]> {
  const matrices = parameters.filter(({ overParameterisable }) => overParameterisable);
  return new Map(matrices.map(({ name, shape }) => [name, shape]));
}

/**
 * What `student.prune` says for a model; `null` where nothing is masked.
 *
 * @throws UserError with line and column for a pattern that matches nothing, groups that do not divide a weight's
 * inputs, and a number of parameters that cannot be left
 */
export function maskPlan(recipe: Section<PruneSettings> | null, model: Model): MaskPlan | null {
  if (!recipe || isCutBefore(recipe.value)) return null;
  const settings = recipe.value;
  if (settings.structure === "channels") return channelPlan(recipe, model);
  const all = maskable(model);
  const chosen = assignLayers([settings], [...all.keys()], (_, sentence) => recipe.error(["layers"], sentence));
  const weights = new Map([...chosen.keys()].map((name) => [name, all.get(name)!]));
  const groups = groupsOf(settings.structure);
  if (groups) expectGroups(recipe, weights, groups.of);
  const schedule = settings.schedule ?? "cubic";
  const isAtOnce = schedule === "once" && settings.method !== "movement";
  return {
    weights,
    method: settings.method,
    groups,
    channels: null,
    byLayer: settings.scope === "layer",
    amount: groups ? 1 - groups.kept / groups.of : settings.amount ?? amountFor(recipe, model, weights),
    schedule,
    over: settings.over ?? (isAtOnce ? 0 : 0.5),
  };
}

/** Whether channels go before training: the student is narrower from the start, and has no masks. */
export function isCutBefore({ structure, schedule }: PruneSettings): boolean {
  return structure === "channels" && schedule !== "cubic";
}

/** Masks of all trained tensors of the chosen widths: what no mask leaves is not there in what is exported. */
function channelPlan(recipe: Section<PruneSettings>, model: Model): MaskPlan {
  const names = new Set(chosenWidths(recipe, model).flatMap(({ tensors }) => tensors.map(({ name }) => name)));
  const tensors = model.parameters.filter(({ name, trainable }) => trainable && names.has(name));
  const { method, over } = recipe.value;
  return {
    weights: new Map(tensors.map(({ name, shape }) => [name, shape])),
    method,
    groups: null,
    channels: (numbers, random, share) => chooseChannels(recipe, model, numbers, random, share),
    byLayer: false,
    amount: 1,
    schedule: "cubic",
    over: over ?? 0.5,
  };
}

function expectGroups(
  recipe: Section<PruneSettings>,
  weights: MaskPlan["weights"],
  size: number,
): void {
  const inputsOf = (shape: readonly number[]) => shape[1];
  const others = [...weights].filter(([, shape]) => inputsOf(shape) % size !== 0);
  if (others.length === 0) return;
  const [[name, shape]] = others;
  const without = [...[recipe.value.layers].flat(), ...others.map(([name]) => `!${name}`)];
  const more = others.length > 1 ? ` (and ${others.length - 1} more)` : "";
  throw recipe.error(
    ["structure"],
    `Cannot take groups of ${size} of the ${inputsOf(shape)} inputs of ${name} ${showShape(shape)}${more}, which do ` +
      `not divide by ${size}: leave it out by layers: ${JSON.stringify(without.slice(0, 8))}`,
  );
}

/** The share of the chosen weights that must go for `parameters` to be left. */
function amountFor(recipe: Section<PruneSettings>, model: Model, weights: MaskPlan["weights"]): number {
  const { parameters } = recipe.value;
  const all = countTrainable(model.parameters);
  const chosen = numbersOf(weights);
  if (parameters! >= all - chosen && parameters! <= all) return (all - parameters!) / chosen;
  const shown = [parameters!, all, all - chosen].map((number) => number.toLocaleString("en"));
  throw recipe.error(
    ["parameters"],
    `Cannot leave ${shown[0]} numbers of a student of ${shown[1]}: expected ${shown[2]} to ${
      shown[1]
    }, as so many are in ` +
      "no weight that prune.layers chooses",
  );
}

/** How many numbers some weights have. */
export function numbersOf(weights: MaskPlan["weights"]): number {
  return [...weights.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/** The weights that a student has masks of, by a plan. */
export function prunedBy(plan: MaskPlan | null): Pruned {
  return { weights: plan?.weights ?? new Map(), learnsScores: plan?.method === "movement" };
}
