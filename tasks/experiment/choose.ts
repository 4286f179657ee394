import { momentsOf } from "./statistics.ts";
import type { Scalar } from "./experiment.ts";

/** A value's scores on the validation examples; test examples have no part in it. */
export interface Trial {
  readonly value: Scalar;
  /** One for each seed that came to its end. */
  readonly validation: readonly number[];
  /** Seeds whose training failed. */
  readonly failed: number;
}

/**
 * The value of the best mean on the validation examples, the first of equals. One with a run that failed is taken only if
 * every value has such a run: a value that trains half of the time is not the best.
 *
 * @returns `null` if no run of any value came to its end
 */
export function chooseByValidation(trials: readonly Trial[]): Scalar | null {
  const means = trials.flatMap((trial) => {
    const moments = momentsOf(trial.validation);
    return moments ? [{ ...trial, mean: moments.mean }] : [];
  });
  const sound = means.filter(({ failed }) => failed === 0);
  const candidates = sound.length > 0 ? sound : means;
  if (candidates.length === 0) return null;
  return candidates.reduce((best, trial) => trial.mean > best.mean ? trial : best).value;
}
