import type { Progress } from "../../nn/schedules.ts";
import { valueAt } from "../../recipe/scheduled.ts";
import type { LossSet } from "./loss_set.ts";

/** What is to be said of each loss that has no part in a training, as it begins, or its weight rises, after the end. */
export function lateLosses({ all }: Pick<LossSet, "all">, { totalSteps, stepsPerEpoch }: Progress): string[] {
  const epochs = +(totalSteps / stepsPerEpoch).toPrecision(4);
  const last = { step: totalSteps - 1, totalSteps, stepsPerEpoch };
  return all.flatMap(({ name, loss, weight }) => {
    if ((loss.begins ?? 0) * stepsPerEpoch >= totalSteps) {
      return [
        `the loss "${name}" begins after ${loss.begins} epochs, and the training has ${epochs}: nothing is learned by ` +
        "it; train longer, or let it begin earlier",
      ];
    }
    // A weight that is 0 throughout is meant so.
    const rises = typeof weight === "object" && weight.from === 0 && weight.to !== 0;
    if (!rises || valueAt(weight, last) !== 0) return [];
    return [
      `the weight of the loss "${name}" is 0 up to the last of ${totalSteps} steps: nothing is learned by it; train ` +
      "longer, or let its weight rise earlier",
    ];
  });
}
