import type { Examples, InputDescription } from "../../plugin/dataset.ts";
import { labelledOf } from "../../plugin/labelled.ts";
import type { Loss } from "../../plugin/loss.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { classWeightsOf } from "../../recipe/class_weights_of.ts";
import type { LossSet } from "./loss_set.ts";

/**
 * What is to be said where `train.accumulate` adds up batches whose losses are other means than it counts them by,
 * which is by examples, or in tagging by words with a label; `null` where its step is that of one larger batch.
 */
export function unequalMeans(
  { losses, train: { accumulate } }: Recipe,
  { all }: Pick<LossSet, "all">,
  train: Examples,
  input: Pick<InputDescription, "task" | "text">,
): string | null {
  if (accumulate === 1) return null;
  const isLabelled = labelledOf(train) === train.length;
  const found = all.map(({ name, loss }, index) => {
    const mean = ownMean(loss, input, isLabelled) ?? (classWeightsOf(losses[index]) ? WEIGHTED : null);
    return mean && `the loss "${name}" ${mean}`;
  }).find((said) => said !== null);
  if (!found) return null;
  return `train.accumulate adds up ${accumulate} batches, and ${found}: its step is not quite that of one larger batch`;
}

const WEIGHTED = "is a mean by the weights of the classes in each";

/** How a loss is another mean than its batch counts by; `null` where it is not. */
function ownMean(
  { meanOver, labels, unlabelled }: Loss,
  { task, text }: Pick<InputDescription, "task" | "text">,
  isLabelled: boolean,
): string | null {
  if (meanOver === "batch") return "holds the examples of each against each other";
  if (meanOver === "tokens") return text ? "is a mean over the tokens of each" : null;
  if (task === "tagging") return meanOver === "examples" ? "is a mean over the texts of each" : null;
  return labels === "some" && !unlabelled && !isLabelled ? "is a mean over the examples with a label of each" : null;
}
