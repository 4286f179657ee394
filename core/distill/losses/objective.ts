import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Batch } from "../../plugin/dataset.ts";
import type { Loss, LossCall } from "../../plugin/loss.ts";
import type { Model, ModelOutputs } from "../../plugin/model.ts";
import type { Scheduled } from "../../recipe/scheduled.ts";
import type { Tensor } from "../../tensor.ts";
import { givenOutputs } from "./given_shapes.ts";
import { labelsFor, ownBatch } from "./inputs.ts";

/** A loss of a run with its factor. */
export interface WeightedLoss {
  /** Its plug-in's name, numbered where it stands more than once. */
  readonly name: string;
  /** Its factor. */
  readonly weight: Scheduled;
  /** The loss. */
  readonly loss: Loss;
  /** The loss's own parameters. */
  readonly parameters: Weights;
  /** The loss's own state. */
  readonly state: Weights;
  /** The only outputs of the student that it may look at; unset: all. */
  readonly gives?: Model["gives"];
}

/** The inputs of the sum of losses. */
export interface ObjectiveCall {
  /** What it is computed with. */
  readonly ops: Ops;
  /** The student's outputs. */
  readonly student: ModelOutputs;
  /** The teacher's outputs; `null` without one. */
  readonly teacher: ModelOutputs | null;
  /** The batch, with what the losses added. */
  readonly batch: Batch<Tensor>;
  /** The student's weights. */
  readonly weights: Weights;
  /** A scheduled number at this step. */
  readonly at: (value: Scheduled) => number;
}

/** What one of the losses is called with. */
function callOf(
  { name, loss, parameters, state, gives }: WeightedLoss,
  { teacher, student, batch, ...call }: ObjectiveCall,
): LossCall {
  const seen = ownBatch(name, labelsFor(name, loss, batch));
  // The types promise a teacher to every loss; only those that say they need it may look.
  const own = givenOutputs(gives, student, name);
  return { ...call, student: own, teacher: teacher as ModelOutputs, batch: seen, parameters, state };
}

/** Every loss before its weight, also where that is 0. */
export function lossTerms(losses: readonly WeightedLoss[], call: ObjectiveCall): Tensor[] {
  return losses.map((entry) => entry.loss.compute(callOf(entry, call)));
}

/** What training minimises at a step. */
export interface Objective {
  /** The weighted sum. */
  readonly total: Tensor;
  /** The losses before weighting, in their order. */
  readonly terms: Tensor[];
}

/**
 * The sum that training minimises, and its terms before weighting. A loss whose weight is 0 at a step is left out, but
 * it still sees the step's outputs if it has a use for them.
 */
export function objective(
  losses: readonly WeightedLoss[],
  call: ObjectiveCall,
): Objective {
  const { ops, at } = call;
  const terms = losses.map((entry) => at(entry.weight) === 0 ? null : entry.loss.compute(callOf(entry, call)));
  const weighted = terms.flatMap((term, index) => term ? [ops.scale(term, at(losses[index].weight))] : []);
  const total = weighted.length > 0 ? ops.total(weighted) : ops.scalar(0);
  ops.constant(() => losses.forEach((entry) => entry.loss.observe?.(callOf(entry, call))));
  return { total, terms: terms.map((term) => term ?? ops.scalar(0)) };
}
