import { type Progress, warmUpSteps } from "../../nn/schedules.ts";
import { valueAt } from "../../recipe/scheduled.ts";
import type { Recipe } from "../../recipe/schema.ts";

/** What is to be said of schedules that a training ends too early for. */
export function lateSchedules(
  { schedule, theseus }: Pick<Recipe["train"], "schedule" | "theseus">,
  { totalSteps, stepsPerEpoch }: Progress,
): string[] {
  const said: string[] = [];
  const warmup = warmUpSteps(schedule, stepsPerEpoch);
  if (warmup > 0 && warmup >= totalSteps) {
    said.push(
      `train.schedule warms up over ${warmup} steps, and the training has ${totalSteps}: the learning rate rises to the ` +
        "end; train longer, or warm up for a shorter time",
    );
  }
  const rate = theseus?.replacingRate;
  if (typeof rate === "object") {
    // A line comes to its end as the training does, as one over the whole training; a jump is to have a step after it.
    const step = rate.schedule === "step" ? totalSteps - 1 : totalSteps;
    const reached = valueAt(rate, { step, totalSteps, stepsPerEpoch });
    const shown = +reached.toPrecision(3);
    if (reached < rate.to) {
      said.push(
        `train.theseus.replacingRate comes to ${shown} in the training's ${totalSteps} steps, not to ${rate.to}: the ` +
          "student's layers never compute as it says; train longer, or let it rise faster",
      );
    }
  }
  return said;
}
