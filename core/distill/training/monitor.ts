import { UserError } from "../../errors.ts";
import type { InputDescription } from "../../plugin/dataset.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Evaluation } from "../../evaluate/evaluate.ts";
import { type ClassName, metricNames } from "../../evaluate/metrics/metrics.ts";

/** The best value of the monitored metric, its epoch (from 1), and epochs since then without a better one. */
export interface Best {
  readonly value: number;
  readonly epoch: number;
  readonly waited: number;
}

/** A metric that training goes by: `loss`, or one of `metricNames`. */
export type Monitor = string;

/**
 * The metric that `train.monitor` means for a data set: without one the task's first.
 *
 * @param positive the class whose F1 is asked for; `null`: the second of two
 * @throws UserError if the task has no such metric
 */
export function monitorOf(
  monitor: Recipe["train"]["monitor"],
  data: InputDescription,
  positive: ClassName | null = null,
): Monitor {
  const own = metricNames(data, positive);
  if (monitor === null) return own[0];
  const name = monitor.replace("validation.", "");
  const known = [...own, "loss"];
  if (known.includes(name)) return name;
  const metrics = known.map((name) => `validation.${name}`).join(", ");
  throw new UserError(`Cannot go by ${monitor} in a ${data.task} of ${data.classes.length} classes: it has ${metrics}`);
}

/** The value of the monitored metric. */
export function monitored(monitor: Monitor, { metrics, loss }: Evaluation): number {
  return monitor === "loss" ? loss : metrics[monitor];
}

/** Takes one more epoch into account; the epoch is the best one if it beats the best so far by more than `minDelta`. */
export function updateBest(best: Best | null, monitor: Monitor, value: number, epoch: number, minDelta: number): Best {
  const gain = best === null || !Number.isFinite(best.value)
    ? Infinity
    : monitor === "loss"
    ? best.value - value
    : value - best.value;
  return gain > minDelta ? { value, epoch, waited: 0 } : { ...best!, waited: best!.waited + 1 };
}
