import { UserError } from "../../core/errors.ts";
import type { OptionKit } from "../../core/plugin/kit.ts";
import type { LossSetup } from "../../core/plugin/loss.ts";
import type { ModelOutputs } from "../../core/plugin/model.ts";
import { listWords } from "../../core/recipe/words.ts";
import type { Tensor } from "../../core/tensor.ts";

/** Name of a student's head, or `null` for its logits. */
export type StudentHead = string | null;

/** The schema of a loss's option `head`. */
export function headOption({ z }: Pick<OptionKit, "z">) {
  return z.string().min(1).nullable().default(null).describe(
    "The student's head that learns, for models with several: class or distillation of a DeiT; null: their mean",
  );
}

/**
 * How a loss finds the logits that learn from it: the student's, or those of one of its heads.
 *
 * @param who name of the loss
 * @throws UserError if the student has no such head
 */
export function logitsOf(
  who: string,
  head: StudentHead,
  { shapes }: Pick<LossSetup, "shapes">,
): (student: ModelOutputs) => Tensor {
  if (head === null) return ({ logits }) => logits;
  const heads = Object.keys(shapes.student.headLogits ?? {});
  if (heads.includes(head)) return ({ headLogits }) => headLogits![head];
  const there = heads.length === 0
    ? "the student has no heads with names, as a DeiT has (variant: deit of vit); set head to null"
    : `expected ${listWords(heads, "or")}`;
  throw new UserError(`Cannot point the loss "${who}" at the head "${head}": ${there}`);
}
