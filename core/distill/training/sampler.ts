import type { Examples } from "../../plugin/dataset.ts";
import type { Checked } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { classWeightsOf } from "../../recipe/class_weights_of.ts";
import type { LossSet } from "../losses/loss_set.ts";

/**
 * @throws UserError with line and column if classes are to be balanced where there are none, twice, or beside a loss
 * that counts on seeing each example once
 */
export function expectSampler(
  recipe: Checked<Recipe>,
  { labels }: Pick<Examples, "labels">,
  { all }: Pick<LossSet, "all">,
): void {
  const { train, losses } = recipe.value;
  if (train.sampler !== "balanced") return;
  const at = ["train", "sampler"];
  if (!labels?.some((label) => label >= 0)) {
    throw recipe.error(
      at,
      "Cannot balance classes as the training examples have not one each: it is for a classification",
    );
  }
  const weighted = losses.findIndex((loss) => classWeightsOf(loss) === "balanced");
  if (weighted >= 0) {
    throw recipe.error(
      ["losses", weighted, "classWeights"],
      "Cannot balance classes beside train.sampler: balanced, which shows all alike: a rare class would count for its " +
        "rarity twice; leave out one of them",
    );
  }
  // Of an example that is there twice, a memory would keep the sum.
  const remembering = all.find(({ loss }) => loss.inputs && loss.state?.length);
  if (!remembering) return;
  throw recipe.error(
    at,
    `Cannot balance classes beside the loss "${remembering.name}", which remembers each example: one may be in a batch twice`,
  );
}
