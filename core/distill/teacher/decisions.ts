import { decisionsOf } from "../../evaluate/decisions.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples, Task } from "../../plugin/dataset.ts";
import { labelledOf } from "../../plugin/labelled.ts";
import type { Teacher } from "./teacher_outputs.ts";

/** Gives what a teacher decides about each of some examples; `null` where nobody asks how far it is agreed with. */
export type Taught = (examples: Examples) => Promise<Float64Array | null>;

/** Whose decisions are asked for. */
export interface TaughtSetup {
  readonly ops: Ops;
  readonly teacher: Pick<Teacher, "model" | "weights" | "knows">;
  readonly task: Task;
  readonly batchSize: number;
  /** Whether they are asked for where all examples have a label, too. */
  readonly always: boolean;
}

/** A teacher's decisions, computed once for each list of examples. */
export function taughtBy({ ops, teacher, task, batchSize, always }: TaughtSetup): Taught {
  const { model, weights } = teacher;
  const known = new Map<Examples, Float64Array>();
  return async (examples) => {
    if (task === "tagging" || teacher.knows?.(examples) === false) return null;
    if (!always && task !== "embedding" && labelledOf(examples) === examples.length) return null;
    const decisions = known.get(examples) ?? await decisionsOf(ops, { model, weights, examples, task, batchSize });
    known.set(examples, decisions);
    return decisions;
  };
}
