import { UserError } from "../../core/errors.ts";
import { defineLoss } from "../../core/plugin/loss.ts";
import type { Ops } from "../../core/ops/ops.ts";
import { lossFactor, temperatureSchema } from "../../core/recipe/bounds.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";
import { headOption, logitsOf, type StudentHead } from "./student_head.ts";
import { expectClasses } from "./token_rows.ts";
import { centred, unitVectors } from "./vectors.ts";

/** Rows whose entries differ by less than rounding have no direction; their correlation is 0. */
const SMALLEST = 1e-6;

/** 1 - the mean over the rows of Pearson's correlation of two matrices' rows. */
function decorrelation(ops: Ops, a: Tensor, b: Tensor): Tensor {
  const directions = [a, b].map((x) => unitVectors(ops, centred(ops, x), SMALLEST));
  const correlations = ops.sum(ops.multiply(directions[0], directions[1]), { axes: [-1] });
  return ops.complement(ops.mean(correlations));
}

/**
 * DIST (Huang et al. 2022, arXiv 2205.10536): beta tau^2 (1 - mean_i rho(p_S[i,:], p_T[i,:])) +
 * gamma tau^2 (1 - mean_c rho(p_S[:,c], p_T[:,c])), with p = softmax(z / tau) over `[batch, classes]` and rho Pearson's
 * correlation. Defaults are the published code's; with `weight: 2` they are the paper's beta = gamma = 2. The paper's
 * tau is 1 on ImageNet and 4 on CIFAR-100.
 *
 * Two numbers that sum to 1 always correlate with 1 or -1, so with two classes the first term has no gradient.
 */
export const dist = defineLoss<{ beta: Scheduled; gamma: Scheduled; tau: Scheduled; head: StudentHead }>({
  name: "dist",
  description: "DIST: correlation of the outputs within examples and within classes",
  equation: "tau^2 (beta (1 - mean_i rho(p_S[i,:], p_T[i,:])) + gamma (1 - mean_c rho(p_S[:,c], p_T[:,c])))",
  source: "Huang et al. 2022, arXiv 2205.10536",
  options: ({ z, scheduled }) =>
    z.strictObject({
      beta: scheduled(lossFactor).default(1).describe("Weight of the relation between classes (rows)"),
      gamma: scheduled(lossFactor).default(1).describe("Weight of the relation within a class (columns)"),
      tau: scheduled(temperatureSchema).default(1).describe("Temperature that softens both outputs"),
      head: headOption({ z }),
    }),
  create({ beta, gamma, tau, head }, setup) {
    const { data, report } = setup;
    expectClasses("dist", data, "mse-logits");
    if (data.task === "tagging") {
      throw new UserError(`Cannot use the loss "dist" for tagging: it compares a class over whole examples; use kd`);
    }
    if (data.classes.length === 2) {
      report("dist: with two classes the relation between classes has no gradient; only gamma's part teaches");
    }
    const logitsOfStudent = logitsOf("dist", head, setup);
    return {
      teacherOutputs: ["logits"],
      meanOver: "batch",
      mixed: true,
      compute({ ops, student, teacher, at }) {
        const t = at(tau);
        const [p, q] = [logitsOfStudent(student), teacher.logits].map((logits) =>
          ops.softmax(ops.scale(logits, 1 / t))
        );
        const columns = (x: Tensor) => ops.permute(x, [1, 0]); // [classes, batch]
        const inter = ops.scale(decorrelation(ops, p, q), at(beta));
        const intra = ops.scale(decorrelation(ops, columns(p), columns(q)), at(gamma));
        return ops.scale(ops.add(inter, intra), t * t);
      },
    };
  },
});
