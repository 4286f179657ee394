import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Batch } from "../plugin/dataset.ts";
import type { Model, ModelOutputs } from "../plugin/model.ts";
import type { Tensor } from "../tensor.ts";
import type { WeightedLoss } from "./objective.ts";

/** The frozen model that is distilled from. */
export interface Teacher {
  readonly model: Model;
  readonly weights: Weights;
}

/** What the losses want of the teacher, its other outputs freed; `null` if they want nothing. */
export function teacherOutputs(
  ops: Ops,
  { model, weights }: Teacher,
  losses: readonly WeightedLoss[],
  batch: Batch<Tensor>,
  randomSeed: () => number,
): ModelOutputs | null {
  const wanted = new Set<string>(losses.flatMap(({ loss }) => loss.teacherOutputs));
  if (wanted.size === 0) return null;
  return ops.scope(() => {
    const outputs = model.forward({ ops, weights, batch, training: false, randomSeed });
    return Object.fromEntries(Object.entries(outputs).filter(([key]) => wanted.has(key))) as unknown as ModelOutputs;
  });
}
