import type { Random } from "../../../data/random.ts";
import { compareLogits } from "../../../evaluate/compare_logits.ts";
import { freeze } from "../../../nn/frozen_weights.ts";
import type { Ops } from "../../../ops/ops.ts";
import type { Examples, InputDescription } from "../../../plugin/dataset.ts";
import { channelsAtZero, widthsOf, withoutChannels } from "../../../plugin/inner_widths.ts";
import type { Model } from "../../../plugin/model.ts";
import { countTrainable } from "../../../plugin/parameters.ts";
import type { Checked } from "../../../recipe/checked.ts";
import type { Recipe } from "../../../recipe/schema.ts";
import { showShape } from "../../../tensor.ts";
import { buildModel } from "../../recipe_models.ts";
import type { Resolved } from "../../resolve_plugins.ts";
import type { InitialWeights } from "../initial_weights.ts";
import { chooseChannels } from "./channels.ts";

/** The channels of each inner width, before and after some went. */
export type CutWidths = Readonly<Record<string, readonly [before: number, after: number]>>;

/** A student that is narrower than its recipe builds it. */
export interface CutStudent extends InitialWeights {
  readonly model: Model;
  readonly widths: CutWidths;
}

/** A model of which channels go, and what it is checked on. */
export interface CutSetup {
  readonly ops: Ops;
  readonly recipe: Checked<Recipe>;
  readonly plugin: Resolved<"model">;
  readonly input: InputDescription;
  readonly model: Model;
  readonly start: InitialWeights;
  readonly random: Random;
  /** Some of them are computed by both models. */
  readonly examples: Examples;
  /** Takes lines for the user. */
  readonly report: (line: string) => void;
}

/** Examples on which both models are computed. */
const PROBE = 8;

/**
 * Takes channels away as `student.prune` says and builds the narrower model. That must give what the whole one gives
 * with those channels at zero, so that a model which names the wrong tensors is not trained.
 *
 * @throws UserError with line and column if the model cannot be as narrow, or computes something else then
 */
export async function cutChannels(setup: CutSetup): Promise<CutStudent> {
  const { ops, recipe, plugin, model, start, random, examples, report } = setup;
  const section = recipe.part("student").part("prune")!;
  const kept = chooseChannels(section, model, start.numbers, random);
  const after = widthsOf(kept);
  const narrow = narrowModel(recipe, plugin, setup.input, after);
  const numbers = withoutChannels(model, start.numbers, kept);
  expectShapes(recipe, narrow, numbers, model);
  const whole = freeze(ops, model, channelsAtZero(model, start.numbers, kept));
  const cut = freeze(ops, narrow, numbers);
  const { difference, largest } = await compareLogits(
    ops,
    { model, weights: whole },
    { model: narrow, weights: cut },
    examples,
    PROBE,
  ).finally(() => [whole, cut].forEach((weights) => weights.dispose()));
  if (!(difference <= recipe.value.verify.tolerance * Math.max(1, largest))) {
    throw recipe.error(
      ["student", "prune"],
      `Cannot take channels away: the narrower model gives logits that differ by up to ${
        difference.toPrecision(3)
      } from ` +
        "the whole one's with these channels at zero; its plug-in names widths on which more depends than it says",
    );
  }
  const sizes = [model, narrow].map(({ parameters }) => countTrainable(parameters).toLocaleString("en"));
  const widths = Object.fromEntries(
    model.innerWidths!.map(({ name, size }) => [name, [size, after.get(name)!] as const]),
  );
  const changed = Object.entries(widths).filter(([, [before, after]]) => after < before);
  report(
    `pruned channels in ${changed.length} of ${after.size} inner widths: ${sizes[1]} of ${sizes[0]} parameters stay`,
  );
  return { model: narrow, numbers, widths, startsFrom: stillCopies(start, model, narrow) };
}

/**
 * The model of a recipe with other inner widths.
 *
 * @throws UserError with line and column if its options cannot say so
 */
export function narrowModel(
  recipe: Checked<Recipe>,
  plugin: Resolved<"model">,
  input: InputDescription,
  widths: ReadonlyMap<string, number>,
): Model {
  const { definition, options } = plugin;
  return recipe.within(["student", "prune"], () => {
    if (!definition.withWidths) {
      throw recipe.error(
        ["student", "prune", "structure"],
        `Cannot take channels away from the model ${definition.name}: its options cannot say how many are left`,
      );
    }
    return buildModel(recipe, { ...plugin, options: definition.withWidths(options, widths) }, input);
  });
}

function expectShapes(
  recipe: Checked<Recipe>,
  narrow: Model,
  numbers: ReadonlyMap<string, Float32Array>,
  whole: Model,
): void {
  for (const { name, shape } of narrow.parameters) {
    const size = shape.reduce((product, extent) => product * extent, 1);
    if (numbers.get(name)?.length === size) continue;
    throw recipe.error(
      ["student", "prune"],
      `Cannot take channels away: the narrower model has ${name} ${showShape(shape)}, for which ` +
        `${numbers.get(name)?.length ?? "no"} numbers are left`,
    );
  }
  if (narrow.parameters.length === whole.parameters.length) return;
  throw recipe.error(["student", "prune"], "Cannot take channels away: the narrower model has other tensors");
}

/** A tensor that lost channels is no copy of the teacher's any more. */
function stillCopies({ startsFrom }: InitialWeights, whole: Model, narrow: Model): InitialWeights["startsFrom"] {
  const shapes = new Map(whole.parameters.map(({ name, shape }) => [name, showShape(shape)]));
  const same = narrow.parameters.filter(({ name, shape }) => shapes.get(name) === showShape(shape));
  const names = new Set(same.map(({ name }) => name));
  return new Map([...startsFrom].filter(([name]) => names.has(name)));
}
