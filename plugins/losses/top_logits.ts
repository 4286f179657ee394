import { UserError } from "../../core/errors.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { TopLogits } from "../../core/plugin/model.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";

/** The one temperature of a loss for which the rest of a teacher's largest logits is kept. @throws UserError */
export function constantTemperature(loss: string, temperature: Scheduled): number {
  if (typeof temperature === "number") return temperature;
  throw new UserError(
    `Cannot use the loss "${loss}" with teacher.keep.topK and a temperature that changes: of the classes that are not ` +
      "kept there is one number for one temperature; give temperature a number, or leave out teacher.keep",
  );
}

/**
 * Logits over a temperature of teacher and student, in which the classes that are not among the teacher's largest are
 * taken as one, behind the others: the softmax of each has their probabilities added up.
 *
 * @param student `[rows, classes]`
 * @returns `[rows, k + 1]` each
 */
export function withRest(
  ops: Ops,
  { classes, values, rest }: TopLogits,
  student: Tensor,
  temperature: number,
): readonly [teacher: Tensor, student: Tensor] {
  const places = ops.reshape(classes, [-1, classes.shape.at(-1)!]);
  const teacher = ops.constant(() => {
    const kept = ops.scale(ops.reshape(values, places.shape), 1 / temperature);
    return ops.concat([kept, ops.reshape(rest[`${temperature}`], [-1, 1])], { axis: 1 });
  });
  return [teacher, ops.pickWithRest(student, places, 1 / temperature)];
}

/** The class of the largest logit, of equal ones the first: `[batch]`, or `[batch, length]`. */
export function largestClass(ops: Ops, { classes, values }: TopLogits): Tensor {
  return ops.pick(classes, ops.argmax(values));
}
