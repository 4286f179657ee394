import { OptionError } from "../../core/errors.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { OptionKit } from "../../core/plugin/kit.ts";
import type { Loss, LossCall, LossSetup } from "../../core/plugin/loss.ts";
import { bounded } from "../../core/recipe/bounds.ts";
import { listSome } from "../../core/recipe/words.ts";
import type { Tensor } from "../../core/tensor.ts";

/** What each class counts for: by its name, as the training labels balance it, or all alike. */
export type ClassWeights = Readonly<Record<string, number>> | "balanced" | null;

/** The schema of a loss's option `classWeights`. */
export function classWeightsOption({ z }: Pick<OptionKit, "z">) {
  const weight = bounded(z.number().min(0).max(1e6), "beside such weights other classes count for nothing");
  return z.union([z.literal("balanced"), z.record(z.string().min(1), weight)]).nullable().default(null).describe(
    "What examples of each class count for: { spam: 5 }, 1 where a class is not named; balanced: examples over classes and " +
      "the class's training examples; null: all alike",
  );
}

/** The weights of a step. */
export interface StepWeights {
  /** `[classes]` */
  readonly ofClasses: Tensor;
  /** `[rows]`: of each row's label. */
  readonly ofRows: Tensor;
}

/** Class weights of a loss, and what it must have for them. */
export interface Weighting {
  readonly hooks: Pick<Loss, "state" | "prepare">;
  /** @param labels `[rows]` */
  weights(call: Pick<LossCall, "ops" | "state">, labels: Tensor): StepWeights;
}

const STATE = "class weights";

/**
 * How a loss weights classes.
 *
 * @param who name of the loss
 * @returns `null` where all count alike
 * @throws OptionError for a class that is not there, or balance where there is not one class for each example
 */
export function weightingOf(who: string, wanted: ClassWeights, { data }: LossSetup): Weighting | null {
  if (wanted === null) return null;
  const { classes, task } = data;
  const count = classes.length;
  const of = (ops: Ops, ofClasses: Tensor, labels: Tensor): StepWeights => {
    const rows = ops.embedding(ops.reshape(ofClasses, [count, 1]), labels);
    return { ofClasses, ofRows: ops.constant(() => ops.reshape(rows, labels.shape)) };
  };
  if (wanted !== "balanced") {
    const unknown = Object.keys(wanted).find((name) => !classes.includes(name.trim()));
    if (unknown !== undefined) {
      throw new OptionError(
        ["classWeights", unknown],
        `Cannot weight the class "${unknown}" in the loss "${who}": the classes are ${listSome(classes, "and")}`,
      );
    }
    const weights = new Map(Object.entries(wanted).map(([name, weight]) => [name.trim(), weight]));
    const numbers = classes.map((name) => weights.get(name) ?? 1);
    if (!numbers.some((weight) => weight > 0)) {
      throw new OptionError(
        ["classWeights"],
        `Cannot weight all classes in the loss "${who}" by 0: expected one above`,
      );
    }
    return { hooks: {}, weights: ({ ops }, labels) => of(ops, ops.tensor(numbers), labels) };
  }
  if (task !== "classification") {
    throw new OptionError(
      ["classWeights"],
      `Cannot balance classes in the loss "${who}" for ${task}: name their weights`,
    );
  }
  return {
    hooks: {
      state: [{ name: STATE, shape: [count], initialise: { use: "constant", value: 1 } }],
      prepare({ ops, labels, state }) {
        const numbers = balance(who, Array.from(labels!), classes);
        ops.scope(() => ops.assign(state.get(STATE), ops.tensor(numbers)));
        return Promise.resolve();
      },
    },
    weights: ({ ops, state }, labels) => of(ops, state.get(STATE), labels),
  };
}

/** n / (C n_c) for each class, of the examples that have a label. */
function balance(who: string, labels: readonly number[], classes: readonly string[]): number[] {
  const known = labels.filter((label) => label >= 0);
  return classes.map((name, label) => {
    const own = known.filter((other) => other === label).length;
    if (own > 0) return known.length / (classes.length * own);
    throw new OptionError(
      ["classWeights"],
      `Cannot balance the class "${name}" in the loss "${who}" as no training example is of it: name weights`,
    );
  });
}

/** The mean of values `[rows]` by weights `[rows]` that are in them already; 0 where all weights are. */
export function weightedMean(ops: Ops, mean: (values: Tensor) => Tensor, values: Tensor, weights: Tensor): Tensor {
  const whole = ops.constant(() => ops.clampMinimum(mean(weights), 1e-12));
  return ops.divide(mean(values), whole);
}
