import { countTrainable } from "../../plugin/parameters.ts";
import type { Model } from "../../plugin/model.ts";
import type { Section } from "../../recipe/checked.ts";
import { assignLayers } from "../../recipe/globs.ts";
import type { Recipe } from "../../recipe/schema.ts";

/**
 * What `train.layerRates` says, by weight.
 *
 * @throws UserError with line and column for a pattern that matches nothing, or one that freezes what is
 * over-parameterised
 */
export function rateScales(
  recipe: Section<Recipe["train"]["layerRates"]>,
  model: Model,
  overParameterised: { has(name: string): boolean },
): Map<string, number> {
  const names = model.parameters.filter(({ trainable }) => trainable).map(({ name }) => name);
  const entries = recipe.value;
  const refuse = (index: number, sentence: string) => recipe.error([index], sentence);
  const assigned = assignLayers(entries, names, refuse);
  for (const [name, entry] of assigned) {
    if (entry.scale > 0 || !overParameterised.has(name)) continue;
    throw refuse(entries.indexOf(entry), `Cannot freeze ${name}: it is over-parameterised, so as to be trained`);
  }
  return new Map([...assigned].map(([name, { scale }]) => [name, scale]));
}

/** A line about the weights that `train.layerRates` freezes; `null` if there are none. */
export function describeFrozen({ parameters }: Model, rates: ReadonlyMap<string, number>): string | null {
  const trainable = parameters.filter(({ trainable }) => trainable);
  const frozen = trainable.filter(({ name }) => rates.get(name) === 0);
  if (frozen.length === 0) return null;
  const [numbers, all] = [frozen, trainable].map((part) => countTrainable(part).toLocaleString("en"));
  const moving = parameters.length > trainable.length ? "; running statistics follow the data all the same" : "";
  return `train.layerRates freezes ${frozen.length} of ${trainable.length} weights, ${numbers} of ${all} numbers${moving}`;
}
