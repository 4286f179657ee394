import { NonFiniteOutputs } from "../../evaluate/evaluate.ts";
import { ADVICE, told } from "../advice.ts";
import { type KeptCheckpoint, TrainingFailure } from "../stops.ts";

/** A student whose outputs are not finite when it is measured, though its losses were: training made it so. */
export class NonFiniteStudent extends TrainingFailure {
  static {
    this.prototype.name = "NonFiniteStudent";
  }

  /**
   * Says what to do.
   *
   * @param cause on which examples it was seen
   * @param checkpoint the last one that was written, if there is one
   */
  constructor(cause: NonFiniteOutputs, checkpoint: KeptCheckpoint | null) {
    super(`${cause.message}; ${told(checkpoint)}; ${ADVICE}`, { cause });
  }
}

/** Measures the student. @param checkpoint the last one @throws NonFiniteStudent if its outputs are not finite */
export async function measuredStudent<Result>(
  checkpoint: KeptCheckpoint | null,
  measure: () => Promise<Result>,
): Promise<Result> {
  try {
    return await measure();
  } catch (error) {
    throw error instanceof NonFiniteOutputs ? new NonFiniteStudent(error, checkpoint) : error;
  }
}
