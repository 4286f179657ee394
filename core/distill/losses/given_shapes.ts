import { UserError } from "../../errors.ts";
import type { LossSetup } from "../../plugin/loss.ts";
import type { OutputShapes } from "../../plugin/output_tree.ts";
import { requiredOutputs } from "../../plugin/outputs.ts";

/** A loss that reads what a teacher that is a file of outputs has not. */
export function ofRecord(loss: string, output: string): UserError {
  return new UserError(
    `Cannot use the loss "${loss}" with a teacher that is a file of outputs: it reads the teacher's ${output}, and the ` +
      "file has logits alone",
  );
}

/** A loss's set-up in which the shapes of what the teacher does not give refuse to be looked at. */
export function withGivenShapes(setup: LossSetup, loss: string): LossSetup {
  const gives = setup.teacher?.gives;
  const given = setup.shapes.teacher;
  if (!gives || !given) return setup;
  const teacher = Object.fromEntries(Object.entries(given).filter(([key]) => gives.includes(key as "logits")));
  for (const output of requiredOutputs.filter((key) => !gives.includes(key))) {
    Object.defineProperty(teacher, output, {
      get() {
        throw ofRecord(loss, output);
      },
    });
  }
  return { ...setup, shapes: { ...setup.shapes, teacher: teacher as unknown as OutputShapes } };
}
