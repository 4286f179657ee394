import type { Progress } from "../../nn/schedules.ts";
import type { LossSet } from "./loss_set.ts";

/** What is to be said of losses that begin after a training's last step; `null` where none does. */
export function lateLosses({ all }: Pick<LossSet, "all">, { totalSteps, stepsPerEpoch }: Progress): string | null {
  const late = all.find(({ loss }) => (loss.begins ?? 0) * stepsPerEpoch >= totalSteps);
  if (!late) return null;
  const epochs = +(totalSteps / stepsPerEpoch).toPrecision(4);
  return `the loss "${late.name}" begins after ${late.loss.begins} epochs, and the training has ${epochs}: nothing is ` +
    "learned by it; train longer, or let it begin earlier";
}
