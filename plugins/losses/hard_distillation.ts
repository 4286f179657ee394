import { predictionsOf } from "../../core/evaluate/predictions.ts";
import { defineLoss } from "../../core/plugin/loss.ts";
import { headOption, logitsOf, type StudentHead } from "./student_head.ts";
import { expectClasses, scoredRows } from "./token_rows.ts";
import { largestClass } from "./top_logits.ts";

/**
 * Hard-label distillation (DeiT, Touvron et al. 2021, arXiv 2012.12877, Eq. 3): cross-entropy with the teacher's
 * decision in the place of the label, mean over the batch of -log softmax(z_S)_t, t = argmax_c z_T,c. The paper's DeiT
 * learns 1/2 cross-entropy with the labels at the head `class` and 1/2 of this at the head `distillation`. For tagging
 * the mean runs over the tokens that have a label, and a CRF's decisions are its best path.
 */
export const hardDistillation = defineLoss<{ head: StudentHead }>({
  name: "hard-distillation",
  description: "Cross-entropy with the teacher's decision as the label (DeiT)",
  equation: "-log softmax(z_S)_t, t = argmax z_T, mean over the batch",
  source: "Touvron et al. 2021, arXiv 2012.12877",
  options: ({ z }) => z.strictObject({ head: headOption({ z }) }),
  create({ head }, setup) {
    const { data } = setup;
    expectClasses("hard-distillation", data, "mse-logits");
    const isTagging = data.task === "tagging";
    const logitsOfStudent = logitsOf("hard-distillation", head, setup);
    const read = setup.topLogits ? "topLogits" : "logits";
    return {
      teacherOutputs: isTagging ? [read, "predictions"] : [read],
      mixed: true,
      compute({ ops, student, teacher, batch }) {
        const logits = logitsOfStudent(student);
        const { rows, mean } = scoredRows(ops, logits, batch);
        const decide = () => {
          // The largest logit is among the largest.
          if (setup.topLogits) return (isTagging && teacher.predictions) || largestClass(ops, teacher.topLogits!);
          return predictionsOf(ops, data.task, isTagging ? teacher : { logits: teacher.logits });
        };
        // A best path has -1 at tokens without a label, which count for nothing.
        const decisions = ops.constant(() => ops.relu(decide()));
        return mean(ops.crossEntropy(rows(logits), ops.reshape(decisions, [-1])));
      },
    };
  },
});
