import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Batch, Examples } from "../../plugin/dataset.ts";
import type { Model, ModelOutputs } from "../../plugin/model.ts";
import type { Tensor } from "../../tensor.ts";
import { outputsFrom, type OutputTree } from "../../plugin/output_tree.ts";

/** The model that is distilled from. */
export interface Teacher {
  /** The model. */
  readonly model: Model;
  /** Its weights on the device. */
  readonly weights: Weights;
  /** Whether training changes its weights; unset: it is frozen. */
  readonly learns?: boolean;
  /** Whether it can be run on some examples, for one that is a file of outputs; unset: on all. */
  readonly knows?: (examples: Examples) => boolean;
  /** Its outputs, if training batches bring them along instead of having them computed. */
  readonly cached?: OutputTree;
}

/** The name in a training batch of an output that was computed before training. */
export function cachedName(output: string): string {
  return `cached teacher output: ${output}`;
}

/** Some of the teacher's outputs in evaluation mode, the others freed. */
export function someOutputs(
  ops: Ops,
  { model, weights, cached }: Teacher,
  wanted: ReadonlySet<string>,
  batch: Batch<Tensor>,
  randomSeed: () => number,
): ModelOutputs {
  if (cached !== undefined) return outputsFrom(cached, (name) => batch[cachedName(name)]);
  return ops.scope(() => {
    const outputs = model.forward({ ops, weights, batch, training: false, randomSeed, wanted });
    return Object.fromEntries(Object.entries(outputs).filter(([key]) => wanted.has(key))) as unknown as ModelOutputs;
  });
}

/** The teacher's outputs that the losses want for a training batch; `null` if they want none. */
export function teacherOutputs(
  ops: Ops,
  teacher: Teacher,
  wanted: ReadonlySet<string>,
  batch: Batch<Tensor>,
  randomSeed: () => number,
): ModelOutputs | null {
  return wanted.size === 0 ? null : someOutputs(ops, teacher, wanted, batch, randomSeed);
}
