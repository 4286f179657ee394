import type { Factors } from "../../mpo/shapes.ts";
import { chainParameterCount } from "../../mpo/shapes.ts";
import type { ParameterSpec } from "../../plugin/model.ts";
import { sizeOf } from "../../tensor.ts";
import { matrixSize } from "./chain_specs.ts";
import { countTrainable } from "../../plugin/parameters.ts";

/** How large a model is while some of its weights are chains, and when they are merged. */
export interface TrainingSize {
  /** How many weights become chains. */
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
 * @param factorsOf how a weight of so many rows and columns is split; `null` leaves it as it is. It is asked for each
 * weight that may be over-parameterised
 */
export function trainingSize(
  parameters: readonly ParameterSpec[],
  factorsOf: (matrix: { rows: number; cols: number }, name: string) => Factors | null,
): TrainingSize {
  const inference = countTrainable(parameters);
  let [matrices, training] = [0, inference];
  for (const { name, shape, overParameterisable } of parameters) {
    const factors = overParameterisable ? factorsOf(matrixSize(shape), name) : null;
    if (!factors) continue;
    matrices++;
    training += chainParameterCount(factors.rows, factors.cols) - sizeOf(shape);
  }
  return { matrices, training, inference, parameterIncreaseRate: training / inference };
}
