import { defineLoss } from "../../core/plugin/loss.ts";
import type { Ops } from "../../core/ops/ops.ts";
import { lossFactor, temperatureSchema } from "../../core/recipe/bounds.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";
import { divergences, logOdds } from "./divergence.ts";
import { oneHot } from "./one_hot.ts";
import { headOption, logitsOf, type StudentHead } from "./student_head.ts";
import { expectClasses, labelledRows } from "./token_rows.ts";

/** A row of logits in two parts: the label against the rest, and the rest among themselves. */
interface Decoupled {
  /** `[batch, 2]`: log p_y and log(1 - p_y). */
  readonly target: Tensor;
  /** `[batch, classes]`: log of the softmax without the label's class; a finite number without meaning at the label. */
  readonly others: Tensor;
}

/**
 * The label's logit is replaced by the mean of the other ones, a number that takes half of the probability at most: so
 * what is left of it, by which the others are normalised, keeps its precision whatever the logits are.
 */
function decouple(ops: Ops, logits: Tensor, label: Tensor, isLabel: Tensor, isOther: Tensor): Decoupled {
  const classes = logits.shape[1];
  const filled = ops.constant(() => {
    const mean = ops.sum(ops.multiply(logits, isOther), { axes: [-1], keepDimensions: true });
    return ops.multiply(ops.scale(mean, 1 / (classes - 1)), isLabel);
  });
  const replaced = ops.add(ops.multiply(logits, isOther), filled);
  const logReplaced = ops.logSoftmax(replaced);
  const rest = ops.sum(ops.multiply(ops.exp(logReplaced), isOther), { axes: [-1] }); // [batch], from 1/2 to 1
  const logRest = ops.log(rest);
  const others = ops.subtract(logReplaced, ops.reshape(logRest, [-1, 1]));
  // log sum of exp(z_c) over the other classes
  const otherLogit = ops.add(ops.subtract(ops.pick(replaced, label), ops.pick(logReplaced, label)), logRest);
  return { target: logOdds(ops, ops.subtract(ops.pick(logits, label), otherLogit)), others };
}

/**
 * Decoupled knowledge distillation (Zhao et al. 2022, arXiv 2203.08679):
 * alpha T^2 KL(b_T || b_S) + beta T^2 KL(q_T || q_S), mean over the batch, with b = (p_y, 1 - p_y) for the label y, q
 * the softmax without class y, and p = softmax(z / T). The first is TCKD and the second NCKD, for which
 * KD = TCKD + (1 - p_y of the teacher) NCKD for each example. With two classes NCKD is 0. The mean runs over the
 * examples that have a label.
 *
 * The published code raises the whole loss from 0 over 20 epochs; a recipe says so by the loss's weight:
 * `weight: { from: 0, to: 1, epochs: 20 }`. The paper's beta is 8 for most pairs of networks, 6 for wide ResNets.
 */
export const dkd = defineLoss<{ alpha: Scheduled; beta: Scheduled; temperature: Scheduled; head: StudentHead }>({
  name: "dkd",
  description: "Decoupled distillation: the label's class and the other classes weighted apart",
  equation: "alpha T^2 KL(b_T || b_S) + beta T^2 KL(q_T || q_S), b = (p_y, 1 - p_y), q without class y",
  source: "Zhao et al. 2022, arXiv 2203.08679",
  options: ({ z, scheduled }) =>
    z.strictObject({
      alpha: scheduled(lossFactor).default(1).describe("Weight of the label's class against the rest (TCKD)"),
      beta: scheduled(lossFactor).default(8).describe("Weight of the other classes among themselves (NCKD)"),
      temperature: scheduled(temperatureSchema).default(4).describe("Temperature T that softens both outputs"),
      head: headOption({ z }),
    }),
  create({ alpha, beta, temperature, head }, setup) {
    const { data, report } = setup;
    expectClasses("dkd", data, "mse-logits");
    if (data.classes.length === 2) report("dkd: with two classes the part weighted by beta is zero");
    const logitsOfStudent = logitsOf("dkd", head, setup);
    return {
      teacherOutputs: ["logits"],
      labels: "some",
      compute({ ops, student, teacher, batch, at }) {
        const t = at(temperature);
        const { rows, labels, mean } = labelledRows(ops, student.logits, batch);
        const label = labels();
        const isLabel = oneHot(ops, label, student.logits.shape.at(-1)!); // [rows, classes]
        const isOther = ops.complement(isLabel);
        const parts = (logits: Tensor) => decouple(ops, ops.scale(rows(logits), 1 / t), label, isLabel, isOther);
        const [ofTeacher, ofStudent] = [parts(teacher.logits), parts(logitsOfStudent(student))];
        const target = mean(divergences(ops, ofTeacher.target, ofStudent.target));
        // At the label both are only fillers, so their difference is taken out before it can count.
        const difference = ops.multiply(ops.subtract(ofTeacher.others, ofStudent.others), isOther);
        const others = ops.multiply(ops.exp(ofTeacher.others), difference);
        const rest = mean(ops.sum(others, { axes: [-1] }));
        return ops.scale(ops.add(ops.scale(target, at(alpha)), ops.scale(rest, at(beta))), t * t);
      },
    };
  },
});
