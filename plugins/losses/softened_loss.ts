import type { Ops } from "../../core/ops/ops.ts";
import type { OptionKit } from "../../core/plugin/kit.ts";
import { defineLoss, type LossDefinition, type LossSetup } from "../../core/plugin/loss.ts";
import { temperatureSchema } from "../../core/recipe/bounds.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";
import { headOption, logitsOf, type StudentHead } from "./student_head.ts";
import { expectClasses, scoredRows } from "./token_rows.ts";
import { constantTemperature, withRest } from "./top_logits.ts";

/** Options of every loss of softened outputs. */
export interface SoftenedOptions {
  readonly temperature: Scheduled;
  readonly head: StudentHead;
}

/** The parts in which losses of softened outputs differ. */
export interface SoftenedLoss extends Pick<LossDefinition, "name" | "description" | "equation" | "source"> {
  /** The default of the option `temperature`, and what it says of itself. */
  readonly temperature: { readonly default: number; readonly description: string };
  /** Looks at the run before training, to report what should be known. */
  readonly inspect?: (setup: LossSetup) => void;
  /** Changes logits `[rows, classes]` before they are divided by the temperature; the identity by default. */
  readonly transform?: (ops: Ops, logits: Tensor) => Tensor;
  /**
   * The same for classes that an example may each be of or not, `[batch, classes]`, of sigmoid(factor logits); without
   * it such a task is refused.
   */
  readonly binary?: (ops: Ops, teacher: Tensor, student: Tensor, factor: number) => Tensor;
  /** The divergence of softmax(factor logits) of each row, `[rows]`, from logits `[rows, classes]`. */
  readonly divergence: (ops: Ops, teacher: Tensor, student: Tensor, factor: number) => Tensor;
}

/**
 * A loss that compares the outputs of teacher and student softened by a temperature T: T^2 times the mean over the
 * batch of a divergence of softmax(z_T / T) and softmax(z_S / T). For tagging the mean runs over the tokens that have a
 * label.
 *
 * Of a teacher whose largest logits alone are kept it is the divergence of the same distributions with the other
 * classes taken as one, unless the logits are transformed first.
 */
export function softenedLoss(
  { temperature: { default: usual, description: meaning }, inspect, transform, binary, divergence, ...definition }:
    SoftenedLoss,
): LossDefinition<SoftenedOptions> {
  const { name } = definition;
  return defineLoss<SoftenedOptions>({
    ...definition,
    options: ({ z, scheduled }: OptionKit) =>
      z.strictObject({
        temperature: scheduled(temperatureSchema).default(usual).describe(meaning),
        head: headOption({ z }),
      }),
    create({ temperature, head }, setup) {
      const isBinary = setup.data.task === "multi-label" && binary !== undefined;
      if (!isBinary) expectClasses(name, setup.data, "mse-logits");
      inspect?.(setup);
      const logitsOfStudent = logitsOf(name, head, setup);
      if (isBinary) {
        return {
          teacherOutputs: ["logits"],
          compute({ ops, student, teacher, at }) {
            const t = at(temperature);
            return ops.scale(ops.mean(binary(ops, teacher.logits, logitsOfStudent(student), 1 / t)), t * t);
          },
        };
      }
      if (setup.topLogits && !transform) {
        return {
          teacherOutputs: ["topLogits"],
          temperatures: [constantTemperature(name, temperature)],
          compute({ ops, student, teacher, batch, at }) {
            const t = at(temperature);
            const { rows, mean } = scoredRows(ops, student.logits, batch);
            const [ofTeacher, ofStudent] = withRest(ops, teacher.topLogits!, rows(logitsOfStudent(student)), t);
            return ops.scale(mean(divergence(ops, ofTeacher, ofStudent, 1)), t * t);
          },
        };
      }
      return {
        teacherOutputs: ["logits"],
        mixed: true,
        compute({ ops, student, teacher, batch, at }) {
          const t = at(temperature);
          const { rows, mean } = scoredRows(ops, student.logits, batch);
          const [ofStudent, ofTeacher] = [logitsOfStudent(student), teacher.logits].map((logits) => {
            const scored = rows(logits); // [rows, classes]
            return transform ? transform(ops, scored) : scored;
          });
          return ops.scale(mean(divergence(ops, ofTeacher, ofStudent, 1 / t)), t * t);
        },
      };
    },
  });
}
