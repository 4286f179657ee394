import { UserError } from "../errors.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import { EXPORTED } from "./operations.ts";
import { NotTraceable, traceModel } from "./trace.ts";

/**
 * Looks whether a model can be exported to ONNX, without its weights.
 *
 * @throws UserError that says what cannot be
 */
export function checkExportable(model: Model, input: InputDescription): void {
  try {
    const strange = traceModel(model, input).steps.find(({ name }) => !EXPORTED.includes(name));
    if (strange) {
      throw new NotTraceable(`it uses the operation ${strange.name}, which no operator of ONNX is known for`);
    }
  } catch (error) {
    throw error instanceof NotTraceable ? inWords(error) : error;
  }
}

/** The sentence for the user. */
export function inWords(error: NotTraceable): UserError {
  return new UserError(`Cannot export the model to ONNX as ${error.message}`, { cause: error });
}
