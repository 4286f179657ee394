import { decisionsOf } from "../../evaluate/decisions.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples, Task } from "../../plugin/dataset.ts";
import { labelledOf } from "../../plugin/labelled.ts";
import type { Teacher } from "./teacher_outputs.ts";

/** What a teacher decides about each of some examples. */
export interface Taught {
  /** Gives it; `null` where nobody asks how far the teacher is agreed with. */
  (examples: Examples): Promise<Float64Array | null>;
  /** Whether it is asked for. */
  isAsked(examples: Examples): boolean;
  /** Takes what was computed elsewhere, so that it is not computed again. */
  know(examples: Examples, decisions: Float64Array): void;
}

/** Whose decisions are asked for. */
export interface TaughtSetup {
  readonly ops: Ops;
  readonly teacher: Pick<Teacher, "model" | "weights" | "knows" | "learns">;
  readonly task: Task;
  readonly batchSize: number;
  /** Whether they are asked for where all examples have a label, too. */
  readonly always: boolean;
}

/** A teacher's decisions, computed once for each list of examples, of one that learns each time. */
export function taughtBy({ ops, teacher, task, batchSize, always }: TaughtSetup): Taught {
  const { model, weights } = teacher;
  const known = new Map<Examples, Float64Array>();
  const isAsked = (examples: Examples) =>
    task !== "tagging" && teacher.knows?.(examples) !== false &&
    (always || task === "embedding" || labelledOf(examples) < examples.length);
  const decided = async (examples: Examples) => {
    if (!isAsked(examples)) return null;
    const decisions = known.get(examples) ?? await decisionsOf(ops, { model, weights, examples, task, batchSize });
    if (!teacher.learns) known.set(examples, decisions);
    return decisions;
  };
  return Object.assign(decided, {
    isAsked,
    know: (examples: Examples, decisions: Float64Array) => {
      if (!teacher.learns) known.set(examples, decisions);
    },
  });
}
