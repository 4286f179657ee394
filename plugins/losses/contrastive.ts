import { UserError } from "../../core/errors.ts";
import type { Ops } from "../../core/ops/ops.ts";
import { defineLoss, type LossCall, type LossSetup, type StateSpec } from "../../core/plugin/loss.ts";
import type { ParameterSpec } from "../../core/plugin/model.ts";
import { bounded, temperatureSchema } from "../../core/recipe/bounds.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";
import { unitVectors } from "./vectors.ts";

interface ContrastiveOptions {
  dimensions: number;
  negatives: number;
  temperature: Scheduled;
  momentum: number;
}

const SIDES = ["student", "teacher"] as const;
type Side = typeof SIDES[number];

/** log(1 + exp(x)), which neither over- nor underflows. */
function softplus(ops: Ops, x: Tensor): Tensor {
  const small = ops.log(ops.offset(ops.exp(ops.negate(ops.abs(x))), 1));
  return ops.add(ops.relu(x), small);
}

/** A model's pooled features, embedded on the unit sphere: `[batch, dimensions]`. */
function embed({ ops, parameters, ...models }: LossCall, side: Side): Tensor {
  const weight = parameters.get(`${side} embedding`);
  return unitVectors(ops, ops.linear(models[side].pooled, weight, parameters.get(`${side} bias`)));
}

/**
 * 1 where a negative is of another class than the example, or another example if there are no classes, 0 where it is of
 * the same or has no label: `[batch, negatives]`. So that each example has the same weight, its row is scaled to the
 * sum `negatives`.
 */
function contrastWeights({ ops, batch, state }: LossCall, byClass: boolean): Tensor {
  const drawn = byClass
    ? ops.reshape(ops.embedding(state.get("labels"), batch.negatives), [1, -1])
    : ops.reshape(batch.negatives, [1, -1]);
  const own = byClass ? batch.label : batch.index;
  const distance = ops.abs(ops.subtract(ops.reshape(own, [-1, 1]), drawn));
  const other = ops.minimum(distance, ops.scalar(1));
  // A drawn one without a label has the label -1.
  const differs = byClass && batch.labelled
    ? ops.multiply(other, ops.minimum(ops.offset(drawn, 1), ops.scalar(1)))
    : other;
  const count = ops.sum(differs, { axes: [1], keepDimensions: true });
  return ops.scale(ops.divide(differs, ops.clampMinimum(count, 1)), batch.negatives.size);
}

/**
 * The mean of exp over the first step's similarities, by which all later ones are divided; its logarithm. `started`
 * says on the device whether there is one.
 */
function logNormaliser({ ops, state }: LossCall, side: Side, similarities: readonly Tensor[]): Tensor {
  return ops.constant(() => {
    const [kept, started] = [state.get(`${side} normaliser`), state.get(`${side} started`)];
    const sums = similarities.map((x) => ops.sum(ops.exp(x)));
    const count = similarities.reduce((total, { size }) => total + size, 0);
    const fresh = ops.log(ops.scale(ops.total(sums), 1 / count));
    const value = ops.add(ops.multiply(kept, started), ops.multiply(fresh, ops.complement(started)));
    ops.assign(kept, value);
    ops.assign(started, ops.scalar(1));
    return value;
  });
}

/** Telling an example's own entry of the other model's bank from the drawn ones: noise-contrastive estimation. */
function estimate(
  call: LossCall,
  side: Side,
  weights: Tensor,
  temperature: number,
  labelled: Tensor | undefined,
): Tensor {
  const { ops, batch, state } = call;
  const bank = state.get(`${side === "student" ? "teacher" : "student"} bank`);
  const anchors = ops.scale(embed(call, side), 1 / temperature);
  const own = ops.sum(ops.multiply(anchors, ops.embedding(bank, batch.index)), { axes: [1] }); // [batch]
  const others = ops.matmul(anchors, ops.embedding(bank, batch.negatives), { transposeB: true }); // [batch, negatives]
  const shift = ops.offset(logNormaliser(call, side, [own, others]), Math.log(batch.negatives.size));
  const positive = softplus(ops, ops.negate(ops.subtract(own, shift)));
  const negative = ops.multiply(softplus(ops, ops.subtract(others, shift)), weights);
  if (!labelled) return ops.scale(ops.add(ops.sum(positive), ops.sum(negative)), 1 / own.size);
  const each = ops.add(positive, ops.sum(negative, { axes: [1] }));
  return ops.divide(ops.sum(ops.multiply(each, labelled)), ops.clampMinimum(ops.sum(labelled), 1));
}

function parametersOf({ dimensions }: ContrastiveOptions, widths: Readonly<Record<Side, number>>): ParameterSpec[] {
  return SIDES.flatMap((side) => {
    const initialise = { use: "uniform", bound: 1 / Math.sqrt(widths[side]) } as const;
    const learned = { initialise, trainable: true, overParameterisable: false };
    return [
      { name: `${side} embedding`, shape: [dimensions, widths[side]], ...learned },
      { name: `${side} bias`, shape: [dimensions], ...learned },
    ];
  });
}

function stateOf({ dimensions }: ContrastiveOptions, examples: number, byClass: boolean): StateSpec[] {
  const zero = { use: "constant", value: 0 } as const;
  // Vectors of length 1 on average.
  const random = { use: "uniform", bound: Math.sqrt(3 / dimensions) } as const;
  return [
    ...(byClass ? [{ name: "labels", shape: [examples, 1], initialise: zero }] : []),
    ...SIDES.flatMap((side): StateSpec[] => [
      { name: `${side} bank`, shape: [examples, dimensions], initialise: random },
      { name: `${side} normaliser`, shape: [], initialise: zero },
      { name: `${side} started`, shape: [], initialise: zero },
    ]),
  ];
}

/** Checks that there are classes, or vectors of sentences, and a teacher. @returns the widths of the pooled features */
function widthsOf({ data, shapes }: LossSetup): Record<Side, number> {
  if (data.task !== "classification" && data.task !== "embedding") {
    throw new UserError(`Cannot contrast examples for ${data.task}: negatives are examples of other classes`);
  }
  if (!shapes.teacher) throw new UserError("Cannot contrast examples with a teacher's: there is no teacher");
  return { student: shapes.student.pooled.at(-1)!, teacher: shapes.teacher.pooled.at(-1)! };
}

/**
 * Contrastive representation distillation (CRD, Tian, Krishnan and Isola 2020, arXiv 1910.10699): the pooled features
 * of both models are embedded on a sphere by learned linear maps, u for the student and v for the teacher, and of each
 * training example a memory bank keeps both. The student's u has to tell its example's v in the bank from the v of K
 * examples of other classes, and the teacher's v likewise among the bank's u. Each is
 *
 * mean over the batch of -log s(x_own) - sum over the K negatives of log s(-x), s the logistic function,
 * x = u v / T - log Z - log K, Z the mean of exp(u v / T) over the first step.
 *
 * After a step the bank's entries become m times the old ones plus 1 - m times the new ones, at length 1. The usual
 * weight of the loss is 0.8. The published code draws K negatives for each example; here a step's examples share them,
 * so that they are one matrix product, and those of an example's own class are left out and made up for by the others.
 * Examples without a label are neither told from others nor negatives. Where texts become vectors there are no classes,
 * and every example but its own is a negative.
 */
export const contrastive = defineLoss<ContrastiveOptions>({
  name: "contrastive",
  description: "Telling an example's features from those of others in a memory bank (CRD)",
  equation: "-mean log s(x_own) - sum over negatives of log s(-x), x = u v / T - log Z - log K, s logistic",
  source: "Tian, Krishnan and Isola 2020, arXiv 1910.10699",
  options: ({ z, scheduled }) =>
    z.strictObject({
      dimensions: bounded(z.int().min(1).max(2 ** 16), "a bank has as many numbers for each example").default(128)
        .describe("Width of the embeddings"),
      negatives: bounded(z.int().min(1).max(2 ** 24), "each example is compared with all of them").default(4096)
        .describe(
          "Negatives K that a step draws, at most as many as there are training examples; the paper has 16384",
        ),
      temperature: scheduled(temperatureSchema).default(0.07).describe("Temperature T of the similarities"),
      momentum: z.number().min(0).lt(1).default(0.5).describe("Part m of a bank's entry that stays when it is renewed"),
    }),
  create(options, setup) {
    const widths = widthsOf(setup);
    const byClass = setup.data.task === "classification";
    const { trainingExamples, report } = setup;
    const negatives = Math.min(options.negatives, trainingExamples);
    if (negatives < options.negatives) {
      report(
        `contrastive: ${negatives} negatives instead of ${options.negatives}: there are no more training examples`,
      );
    }
    return {
      teacherOutputs: ["pooled"],
      ...(byClass && { labels: "some" as const }),
      parameters: parametersOf(options, widths),
      state: stateOf(options, trainingExamples, byClass),
      prepare({ ops, labels, state }) {
        if (byClass) ops.scope(() => ops.assign(state.get("labels"), ops.tensor(labels!, [labels!.length, 1])));
        return Promise.resolve();
      },
      inputs: ({ indices, random }) => ({
        index: { data: Float32Array.from(indices), shape: [indices.length] },
        negatives: {
          data: Float32Array.from({ length: negatives }, () => random.below(trainingExamples)),
          shape: [negatives],
        },
      }),
      compute(call) {
        const { ops, at } = call;
        const weights = contrastWeights(call, byClass);
        const labelled = byClass ? call.batch.labelled : undefined;
        const [student, teacher] = SIDES.map((side) =>
          estimate(call, side, weights, at(options.temperature), labelled)
        );
        return ops.add(student, teacher);
      },
      observe(call) {
        const { ops, batch: { index }, state } = call;
        for (const side of SIDES) {
          const bank = state.get(`${side} bank`);
          const old = ops.scale(ops.embedding(bank, index), options.momentum);
          const renewed = ops.add(old, ops.scale(embed(call, side), 1 - options.momentum));
          ops.assignRows(bank, index, unitVectors(ops, renewed));
        }
      },
    };
  },
});
