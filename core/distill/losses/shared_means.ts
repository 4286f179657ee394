import type { Examples, Task } from "../../plugin/dataset.ts";
import { labelledOf } from "../../plugin/labelled.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { classWeightsOf } from "../../recipe/class_weights_of.ts";
import type { LossSet } from "./loss_set.ts";

/**
 * What is to be said where `train.accumulate` adds up batches whose losses are means over a part of them; `null` where
 * its step is that of one larger batch.
 */
export function unequalMeans(
  { losses, train: { accumulate } }: Recipe,
  { all }: Pick<LossSet, "all">,
  train: Examples,
  task: Task,
): string | null {
  if (accumulate === 1 || !all.some(({ loss }) => loss.labels === "some")) return null;
  const labelled = labelledOf(train);
  const weighted = losses.some(classWeightsOf);
  const means = labelled < train.length
    ? "over the examples with a label"
    : task === "tagging"
    ? "over the words with a tag"
    : weighted
    ? "by the weights of their classes"
    : null;
  if (means === null) return null;
  return `train.accumulate adds up ${accumulate} batches, and losses of labels are means ${means} of each: its step is ` +
    "not quite that of one larger batch";
}
