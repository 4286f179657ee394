import { evaluate, type Evaluation } from "../../evaluate/evaluate.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples, InputDescription } from "../../plugin/dataset.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Tensor } from "../../tensor.ts";
import type { Student } from "../student/student.ts";
import type { Taught } from "../teacher/decisions.ts";
import { BestWeights } from "./best_weights.ts";
import { type Best, type Monitor, monitored, updateBest } from "./monitor.ts";

/** The parts of a validation. */
export interface ValidationSetup {
  readonly ops: Ops;
  readonly student: Student;
  readonly recipe: Pick<Recipe, "train" | "evaluate">;
  /** `null`: there are none, and no epoch is better than another. */
  readonly examples: Examples | null;
  readonly input: InputDescription;
  /** The metric that early stopping and the best weights go by. */
  readonly monitor: Monitor;
  /** Gives what the teacher decides about examples; `null` if nobody asks how far the student agrees with it. */
  readonly taught: Taught | null;
  /** Whether somebody else looks at the answers to the single examples. */
  readonly answers: boolean;
}

/** Measures the student after each epoch: the best one's weights are kept, and epochs without a better one counted. */
export class Validation {
  /** The best epoch so far. */
  best: Best | null = null;
  /** What came of measuring the student as it is; `null`: it was not, or the student has changed. */
  measured: Evaluation | null = null;
  #ofBest: Evaluation | null = null;
  readonly #weights: BestWeights;

  constructor(private readonly setup: ValidationSetup) {
    const { ops, student, recipe, examples } = setup;
    this.#weights = new BestWeights(ops, student, recipe.train.restoreBest && examples !== null);
  }

  /** The best weights, by the name they have in a checkpoint. */
  get tensors(): ReadonlyMap<string, Tensor> {
    return this.#weights.tensors;
  }

  /** Whether as many epochs went by without a better one as early stopping allows. */
  get stopped(): boolean {
    const { earlyStopping } = this.setup.recipe.train;
    return earlyStopping !== null && (this.best?.waited ?? 0) >= earlyStopping.patience;
  }

  /**
   * Measures the student as it is now.
   *
   * @param epoch epochs done, from 1
   * @param counts whether it may be the best one, and early stopping counts it
   * @returns `null` without validation examples
   */
  async endEpoch(epoch: number, counts = true): Promise<Evaluation | null> {
    const { ops, student, recipe: { train, evaluate: settings }, examples, input, monitor } = this.setup;
    if (!examples) return null;
    const taught = await this.setup.taught?.(examples);
    const weights = student.frozenWeights();
    const { model } = student;
    const { answers } = this.setup;
    const call = { who: "the student", model, weights, examples, input, ...settings, taught, answers };
    const result = await evaluate(ops, call).finally(weights.dispose);
    if (!counts) return result;
    this.best = updateBest(
      this.best,
      monitor,
      monitored(monitor, result),
      epoch,
      train.earlyStopping?.minDelta ?? 0,
    );
    this.measured = result;
    if (this.best.epoch === epoch) {
      this.#weights.take();
      this.#ofBest = result;
    }
    return result;
  }

  /** Gives the best weights back to the student. @returns their epoch, or `null` if none are kept */
  restore(): number | null {
    if (!this.best || !this.#weights.restore()) return null;
    this.measured = this.#ofBest;
    return this.best.epoch;
  }

  dispose(): void {
    this.#weights.dispose();
  }
}
