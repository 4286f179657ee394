import { UserError } from "../../core/errors.ts";
import { binaryCrossEntropies } from "../../core/evaluate/bernoulli.ts";
import { defineLoss } from "../../core/plugin/loss.ts";
import { bounded } from "../../core/recipe/bounds.ts";
import { listSome } from "../../core/recipe/words.ts";
import { headOption, logitsOf, type StudentHead } from "./student_head.ts";

type PositiveWeights = Readonly<Record<string, number>> | null;

/**
 * Binary cross-entropy with several labels, as PyTorch's `BCEWithLogitsLoss`: mean over batch and classes of
 * -w_c y log sigmoid(z) - (1 - y) log sigmoid(-z), with w_c, its `pos_weight`, 1 unless it is stated. The mean runs
 * over the examples that have a label.
 */
export const binaryCrossEntropy = defineLoss<{ head: StudentHead; positiveWeights: PositiveWeights }>({
  name: "binary-cross-entropy",
  description: "Binary cross-entropy with the labels, where an example may be of several classes or none",
  equation: "-w_c y log sigmoid(z) - (1 - y) log sigmoid(-z), mean over batch and classes",
  source: "PyTorch, BCEWithLogitsLoss",
  options: ({ z }) =>
    z.strictObject({
      head: headOption({ z }),
      positiveWeights: z.record(
        z.string().min(1),
        bounded(z.number().positive().max(1e6), "beside such weights other classes count for nothing"),
      ).nullable().default(null).describe(
        "What an example of a class counts for in that class, 1 where one is not named: { rare: 20 }; null: all alike",
      ),
    }),
  create({ head, positiveWeights }, setup) {
    const { data: { task, classes } } = setup;
    if (task !== "multi-label") {
      throw new UserError(
        `Cannot use the loss "binary-cross-entropy" for ${task}: it needs several labels for each example; use ` +
          (task === "regression" ? "mse" : "cross-entropy"),
      );
    }
    const logitsOfStudent = logitsOf("binary-cross-entropy", head, setup);
    const gains = gainsOf(positiveWeights, classes);
    return {
      teacherOutputs: [],
      labels: "some",
      compute({ ops, student, batch: { label, labelled } }) {
        const each = binaryCrossEntropies(ops, logitsOfStudent(student), label); // [batch, classes]
        const weighted = gains
          ? ops.multiply(each, ops.constant(() => ops.offset(ops.multiply(label, ops.tensor(gains)), 1)))
          : each;
        if (!labelled) return ops.mean(weighted);
        const known = ops.constant(() => ops.clampMinimum(ops.sum(labelled), 1));
        return ops.divide(ops.sum(ops.multiply(ops.mean(weighted, { axes: [-1] }), labelled)), known);
      },
    };
  },
});

/** w_c - 1 for each class; `null` where all count alike. @throws UserError for a class that is not there */
function gainsOf(weights: PositiveWeights, classes: readonly string[]): number[] | null {
  if (weights === null) return null;
  const named = new Map(Object.entries(weights).map(([name, weight]) => [name.trim(), weight]));
  const unknown = [...named.keys()].find((name) => !classes.includes(name));
  if (unknown !== undefined) {
    throw new UserError(
      `Cannot weight the class "${unknown}" in the loss "binary-cross-entropy": the classes are ${
        listSome(classes, "and")
      }`,
    );
  }
  return classes.map((name) => (named.get(name) ?? 1) - 1);
}
