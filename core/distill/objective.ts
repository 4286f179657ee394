import type { Weights } from "../nn/weights.ts";
import type { Progress } from "../nn/schedules.ts";
import type { Ops } from "../ops/ops.ts";
import type { Batch } from "../plugin/dataset.ts";
import type { Loss } from "../plugin/loss.ts";
import type { ModelOutputs } from "../plugin/model.ts";
import { type Scheduled, valueAt } from "../recipe/scheduled.ts";
import type { Tensor } from "../tensor.ts";

/** A loss of a run with its factor. */
export interface WeightedLoss {
  /** Its plug-in's name, numbered where it stands more than once. */
  readonly name: string;
  readonly weight: Scheduled;
  readonly loss: Loss;
  /** The loss's own parameters. */
  readonly parameters: Weights;
}

/** What the sum of losses is computed from. */
export interface ObjectiveCall {
  readonly ops: Ops;
  readonly student: ModelOutputs;
  readonly teacher: ModelOutputs | null;
  readonly batch: Batch<Tensor>;
  readonly weights: Weights;
  readonly progress: Progress;
}

/** The sum that training minimises, and its terms before weighting. A loss whose weight is 0 at a step is left out. */
export function objective(
  losses: readonly WeightedLoss[],
  { progress, teacher, ...call }: ObjectiveCall,
): { total: Tensor; terms: Tensor[] } {
  const { ops } = call;
  const at = (value: Scheduled) => valueAt(value, progress);
  // The types promise a teacher to every loss; only those that say they need it may look.
  const teacherOutputs = teacher as ModelOutputs;
  const terms = losses.map(({ loss, weight, parameters }) =>
    at(weight) === 0 ? null : loss.compute({ ...call, teacher: teacherOutputs, parameters, at })
  );
  const weighted = terms.flatMap((term, index) => term ? [ops.scale(term, at(losses[index].weight))] : []);
  const total = weighted.length > 0 ? weighted.reduce((sum, term) => ops.add(sum, term)) : ops.scalar(0);
  return { total, terms: terms.map((term) => term ?? ops.scalar(0)) };
}
