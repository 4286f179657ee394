import { UserError } from "../../errors.ts";
import type { Examples, InputDescription } from "../../plugin/dataset.ts";
import { labelledOf } from "../../plugin/labelled.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Evaluation } from "../../evaluate/evaluate.ts";
import { type ClassName, metricNames } from "../../evaluate/metrics/metrics.ts";

/** The best value of the monitored metric, its epoch (from 1), and epochs since then without a better one. */
export interface Best {
  readonly value: number;
  readonly epoch: number;
  readonly waited: number;
}

/** A metric that training goes by: `loss`, `agreement`, or one of `metricNames`. */
export type Monitor = string;

/** What a monitored metric is of. */
export interface Watched {
  /** The validation examples; `null` without any. */
  readonly validation: Examples | null;
  /** Whether a teacher's decisions about them are known. */
  readonly taught: boolean;
}

/**
 * The metric that `train.monitor` means for a data set: without one the task's first, or the agreement with the teacher
 * where no validation example has a label.
 *
 * @param seen what is watched, and whether there is a teacher to agree with
 * @param positive the class whose F1 is asked for; `null`: the second of two
 * @throws UserError if there is no such metric, or these examples do not have it, as `auc` where all are of one class
 */
export function monitorOf(
  monitor: Recipe["train"]["monitor"],
  data: InputDescription,
  { validation, taught }: Watched,
  positive: ClassName | null = null,
): Monitor {
  const hasLabels = !validation || labelledOf(validation) > 0;
  const known = [
    ...(hasLabels ? metricNames(data, positive) : []),
    ...(hasLabels && data.task !== "embedding" ? ["loss"] : []),
    ...(taught && data.task !== "tagging" ? ["agreement"] : []),
  ];
  if (monitor === null && known.length > 0) return known[0];
  const name = monitor?.replace("validation.", "") ?? "any metric";
  if (name === "auc" && known.includes(name) && validation && areOfOneClass(validation)) throw lacking(name);
  if (known.includes(name)) return name;
  const metrics = known.map((name) => `validation.${name}`).join(", ");
  const has = known.length > 0 ? `it has ${metrics}` : "there is no teacher to agree with either; validation: null";
  if (!hasLabels) {
    const lack = data.task === "embedding"
      ? `the ${validation.length} validation texts are no pairs with a score`
      : `none of the ${validation.length} validation examples has a label`;
    throw new UserError(`Cannot go by ${monitor ?? name} as ${lack}: ${has}`);
  }
  const what = data.task === "embedding" ? "vectors of sentences" : `a ${data.task} of ${data.classes.length} classes`;
  throw new UserError(`Cannot go by ${monitor} in ${what}: ${has}`);
}

/**
 * The value of the monitored metric.
 *
 * @throws UserError if these examples do not have it, as `auc` where all are of one class
 */
export function monitored(monitor: Monitor, { metrics, loss }: Evaluation): number {
  if (monitor === "loss") return loss ?? NaN;
  if (monitor in metrics) return metrics[monitor];
  throw lacking(monitor);
}

/** Whether all examples with a label have the same, as far as a list says their labels. */
function areOfOneClass({ labels }: Examples): boolean {
  return labels !== null && new Set(labels.filter((label) => label >= 0)).size === 1;
}

function lacking(monitor: Monitor): UserError {
  return new UserError(
    `Cannot go by validation.${monitor} as all validation examples are of one class: take another split, or metric`,
  );
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
