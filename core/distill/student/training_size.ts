import type { ParameterSpec } from "../../plugin/model.ts";
import { sizeOf } from "../../tensor.ts";
import { type MatrixSize, matrixSize } from "../../nn/matrix_size.ts";
import { countTrainable } from "../../plugin/parameters.ts";

/** How large a model is while some of its weights are over-parameterised, and when they are merged. */
export interface TrainingSize {
  /** How many weights are over-parameterised. */
  readonly matrices: number;
  /** Numbers that are trained. */
  readonly training: number;
  /** Numbers of the merged model. */
  readonly inference: number;
  /** The parameter increase rate of the whole model: `training / inference`. */
  readonly parameterIncreaseRate: number;
}

/**
 * The size of a model in training, from the shapes of its weights alone.
 *
 * @param trainedOf how many numbers are trained for a weight of so many rows and columns; `null` leaves it as it is.
 * It is asked for each weight that may be over-parameterised
 */
export function trainingSize(
  parameters: readonly ParameterSpec[],
  trainedOf: (matrix: MatrixSize, name: string) => number | null,
): TrainingSize {
  const inference = countTrainable(parameters);
  let [matrices, training] = [0, inference];
  for (const { name, shape, overParameterisable } of parameters) {
    const trained = overParameterisable ? trainedOf(matrixSize(shape), name) : null;
    if (trained === null) continue;
    matrices++;
    training += trained - sizeOf(shape);
  }
  return { matrices, training, inference, parameterIncreaseRate: training / inference };
}
