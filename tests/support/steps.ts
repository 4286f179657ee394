import { Random } from "../../core/data/random.ts";
import { type LossEntry, LossSet } from "../../core/distill/losses/loss_set.ts";
import type { Student } from "../../core/distill/student/student.ts";
import type { Teacher } from "../../core/distill/teacher/teacher_outputs.ts";
import type { Strategy } from "../../core/distill/training/strategy.ts";
import { TrainingStep } from "../../core/distill/training/training_step.ts";
import type { Ops } from "../../core/ops/ops.ts";
import { trainSchema } from "../../core/recipe/schema_train.ts";

/** What a step of a test is made of; the rest is as in a recipe that says nothing of it. */
export interface StepOfTest {
  readonly student: Student;
  readonly teacher?: Teacher | null;
  readonly losses?: readonly LossEntry[];
  /** The `train` of a recipe; one epoch unless it says more. */
  readonly train?: Readonly<Record<string, unknown>>;
  readonly strategy?: Strategy;
}

/** A training step of classification, built as a run builds it. */
export function stepOf(
  ops: Ops,
  { student, teacher = null, losses = [], train = {}, strategy }: StepOfTest,
): TrainingStep {
  const recipe = trainSchema.parse({ epochs: 1, ...train });
  const set = new LossSet(ops, losses, new Random(0));
  return new TrainingStep({
    ops,
    student,
    teacher,
    losses: set,
    recipe,
    random: new Random(0),
    task: "classification",
    strategy,
  });
}
