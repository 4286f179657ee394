import { UserError } from "../../core/errors.ts";
import type { LossCall, LossSetup } from "../../core/plugin/loss.ts";
import type { ParameterSpec } from "../../core/plugin/model.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type LayerPair, outputAt, pairShapes, showPair } from "./layer_pairs.ts";

/** Pairs of layers made equally wide. */
export interface ProjectedPairs {
  /** The learned linear maps `[teacher's width, student's width]`, none where widths are equal. */
  readonly parameters: readonly ParameterSpec[];
  /** What a mean over the vectors of these layers runs over: tokens of texts, or one vector for each example. */
  readonly meanOver: "tokens" | "examples";
  /** The student's layers, projected where that is needed, each with the teacher's. */
  outputs(call: LossCall): (readonly [student: Tensor, teacher: Tensor])[];
}

/**
 * Pairs layers that differ in their last dimension at most. Where they do, a linear map (a 1x1 convolution on images)
 * is learned with the student and not exported.
 *
 * @param who name of the loss, for the line that says what is learned
 * @throws UserError for layers that are not there or differ in another dimension
 */
export function projectPairs(who: string, pairs: readonly LayerPair[], setup: LossSetup): ProjectedPairs {
  const parameters: ParameterSpec[] = [];
  const hasTokens = setup.data.text && pairs.some((pair) => pairShapes(pair, setup).teacher.length === 3);
  const projections = pairs.map((pair) => {
    const shapes = pairShapes(pair, setup);
    if (shapes.student.slice(0, -1).join() !== shapes.teacher.slice(0, -1).join()) {
      throw new UserError(`Cannot compare ${showPair(pair, shapes)}: all dimensions but the last must be equal`);
    }
    const [width, target] = [shapes.student.at(-1)!, shapes.teacher.at(-1)!];
    if (width === target) return null;
    const name = `projection ${pair.student} to ${pair.teacher}`;
    const initialise = { use: "uniform", bound: 1 / Math.sqrt(width) } as const;
    parameters.push({ name, shape: [target, width], initialise, trainable: true, overParameterisable: false });
    setup.report(`${who}: "${pair.student}" is ${width} wide and "${pair.teacher}" ${target}: a projection is learned`);
    return name;
  });
  return {
    parameters,
    meanOver: hasTokens ? "tokens" : "examples",
    outputs: ({ ops, student, teacher, parameters }) =>
      pairs.map((pair, index) => {
        const name = projections[index];
        const h = outputAt(student, pair.student);
        return [name === null ? h : ops.linear(h, parameters.get(name)), outputAt(teacher, pair.teacher)];
      }),
  };
}
