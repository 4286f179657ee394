import type { Examples } from "../../plugin/dataset.ts";
import type { Section } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { LossSet } from "../losses/loss_set.ts";

/**
 * @throws UserError at `sampler` if classes are to be balanced where there are none, or a loss counts on seeing each
 * once
 */
export function expectSampler(
  recipe: Section<Recipe["train"]>,
  { labels }: Pick<Examples, "labels">,
  { all }: Pick<LossSet, "all">,
): void {
  if (recipe.value.sampler !== "balanced") return;
  if (!labels?.some((label) => label >= 0)) {
    throw recipe.error(
      ["sampler"],
      "Cannot balance classes as the training examples have not one each: it is for a classification",
    );
  }
  // Of an example that is there twice, a memory would keep the sum.
  const remembering = all.find(({ loss }) => loss.inputs);
  if (!remembering) return;
  throw recipe.error(
    ["sampler"],
    `Cannot balance classes beside the loss "${remembering.name}", which remembers each example: one may be in a batch twice`,
  );
}
