import { UserError } from "../../errors.ts";
import type { LossSetup } from "../../plugin/loss.ts";
import type { OutputShapes } from "../../plugin/output_tree.ts";
import type { Model, ModelOutputs } from "../../plugin/model.ts";
import { requiredOutputs } from "../../plugin/outputs.ts";

/** A loss that reads what a teacher that is a file of outputs has not. */
export function ofRecord(loss: string, output: string): UserError {
  return new UserError(
    `Cannot use the loss "${loss}" with a teacher that is a file of outputs: it reads the teacher's ${output}, and the ` +
      "file has logits alone",
  );
}

/** A loss that reads what a model has not that gives vectors of sentences. */
export function ofEmbedding(loss: string, read: string): UserError {
  return new UserError(
    `Cannot use the loss "${loss}" for vectors of sentences: it reads ${read}, and there are none; use losses on hidden ` +
      "states, attention and pooled vectors, such as hidden-mse, cosine-hidden, minilm or relational",
  );
}

/** A loss that learns from more than the largest logits. */
export function ofTopLogits(loss: string, count: number, reason: string): UserError {
  return new UserError(
    `Cannot use the loss "${loss}" with teacher.keep.topK: ${reason}, and of each example the ${count} largest are kept; ` +
      "leave out teacher.keep, or use losses that can do with these, such as kd",
  );
}

/** A loss that reads an output which a model does not give. */
export function ofLacking({ data }: Pick<LossSetup, "data">, loss: string, output: string): UserError {
  return data.task === "embedding" ? ofEmbedding(loss, output) : ofRecord(loss, output);
}

/** A loss's set-up in which the shapes of what the models do not give refuse to be looked at. */
export function withGivenShapes(setup: LossSetup, loss: string): LossSetup {
  const given = <Shapes extends OutputShapes | null>(model: Model | null, shapes: Shapes): Shapes => {
    return model?.gives && shapes ? refusing(shapes, model.gives, (output) => ofLacking(setup, loss, output)) : shapes;
  };
  const { student, teacher } = setup.shapes;
  return { ...setup, shapes: { student: given(setup.student, student), teacher: given(setup.teacher, teacher) } };
}

/** What a loss sees of a student's outputs: those that a student of vectors has not refuse to be looked at. */
export function givenOutputs(gives: Model["gives"], outputs: ModelOutputs, loss: string): ModelOutputs {
  return gives ? refusing(outputs, gives, (output) => ofEmbedding(loss, output)) : outputs;
}

/** The same outputs without those that are not given: these refuse to be looked at. */
function refusing<Outputs extends object>(
  outputs: Outputs,
  gives: readonly (keyof ModelOutputs)[],
  refusal: (output: string) => UserError,
): Outputs {
  const kept = Object.fromEntries(Object.entries(outputs).filter(([key]) => gives.includes(key as "logits")));
  for (const output of requiredOutputs.filter((key) => !gives.includes(key))) {
    Object.defineProperty(kept, output, {
      get() {
        throw refusal(output);
      },
    });
  }
  return kept as Outputs;
}
