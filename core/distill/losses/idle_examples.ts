import type { Examples } from "../../plugin/dataset.ts";
import { labelledOf } from "../../plugin/labelled.ts";
import type { LossSet } from "./loss_set.ts";

/** What is to be said where examples have no label and no loss learns from them; `null` where all is well. */
export function idleExamples(train: Examples, { all }: Pick<LossSet, "all">): string | null {
  const without = train.length - labelledOf(train);
  if (without === 0 || all.some(({ loss: { labels, unlabelled } }) => labels !== "some" || unlabelled)) return null;
  return `${without} of the ${train.length} training examples teach nothing, as they have no label and every loss learns ` +
    "from labels: leave them out, or add a loss that learns from a teacher alone, such as kd";
}
