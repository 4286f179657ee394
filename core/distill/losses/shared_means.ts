import type { Examples } from "../../plugin/dataset.ts";
import { labelledOf } from "../../plugin/labelled.ts";
import type { Recipe } from "../../recipe/schema.ts";

/**
 * What is to be said where `train.accumulate` adds up batches whose losses are means over a part of them; `null` where
 * its step is that of one larger batch.
 */
export function unequalMeans({ losses, train: { accumulate } }: Recipe, train: Examples): string | null {
  if (accumulate === 1) return null;
  const labelled = labelledOf(train);
  const partly = labelled > 0 && labelled < train.length;
  const weighted = losses.some((loss) => (loss as { readonly classWeights?: unknown }).classWeights);
  if (!partly && !weighted) return null;
  const means = partly ? "over the examples with a label" : "by the weights of their classes";
  return `train.accumulate adds up ${accumulate} batches, and losses of labels are means ${means} of each: its step is ` +
    "not quite that of one larger batch";
}
