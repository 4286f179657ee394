import { UserError } from "../../core/errors.ts";
import { defineLoss, type OutputShapes } from "../../core/plugin/loss.ts";
import type { ModelOutputs, ParameterSpec } from "../../core/plugin/model.ts";

/** A layer by name, or a hidden state by index (negative ones from the end). */
type Place = string | number;

function shapeAt(shapes: OutputShapes, place: Place, who: string): readonly number[] {
  const shape = typeof place === "number" ? shapes.hidden.at(place) : shapes.features[place];
  if (shape) return shape;
  const known = typeof place === "number"
    ? `it has ${shapes.hidden.length} hidden states`
    : `it has ${Object.keys(shapes.features).join(", ")}`;
  throw new UserError(`Cannot compare layer "${place}" of the ${who}: ${known}`);
}

const outputAt = (outputs: ModelOutputs, place: Place) =>
  typeof place === "number" ? outputs.hidden.at(place)! : outputs.features[place];

/**
 * Hints (Romero et al. 2015, FitNets, arXiv 1412.6550): mean of (r(h_S) - h_T)^2 over pairs of hidden layers. Where the
 * widths differ, r is a learned linear map (a 1x1 convolution on images), trained with the student and not exported.
 */
export const hiddenMse = defineLoss<{ pairs: { student: Place; teacher: Place }[] }>({
  name: "hidden-mse",
  description: "Mean squared difference of hidden layers, with a learned projection where widths differ",
  options: ({ z }) => {
    const place = z.union([z.string().min(1), z.int()]);
    return z.strictObject({
      pairs: z.array(z.strictObject({
        student: place.describe("Layer of the student: a feature's name, or the index of a hidden state"),
        teacher: place.describe("Layer of the teacher"),
      })).min(1).describe("Layers to compare"),
    });
  },
  create({ pairs }, { shapes, report }) {
    const parameters: ParameterSpec[] = [];
    const projections = pairs.map(({ student, teacher }) => {
      const from = shapeAt(shapes.student, student, "student");
      const to = shapeAt(shapes.teacher!, teacher, "teacher");
      if (from.slice(0, -1).join() !== to.slice(0, -1).join()) {
        throw new UserError(
          `Cannot compare "${student}" [${from}] with "${teacher}" [${to}]: all dimensions but the last must be equal`,
        );
      }
      const [width, target] = [from.at(-1)!, to.at(-1)!];
      if (width === target) return null;
      const name = `projection ${student} to ${teacher}`;
      const initialise = { use: "uniform", bound: 1 / Math.sqrt(width) } as const;
      parameters.push({ name, shape: [target, width], initialise, trainable: true, overParameterisable: false });
      report(`hidden-mse: "${student}" is ${width} wide and "${teacher}" ${target}: a projection is learned`);
      return name;
    });
    return {
      teacherOutputs: ["features", "hidden"],
      parameters,
      compute({ ops, student, teacher, parameters }) {
        const terms = pairs.map((pair, index) => {
          const name = projections[index];
          const h = outputAt(student, pair.student);
          const projected = name === null ? h : ops.linear(h, parameters.get(name));
          return ops.mean(ops.square(ops.subtract(projected, outputAt(teacher, pair.teacher))));
        });
        return ops.scale(terms.reduce((sum, term) => ops.add(sum, term)), 1 / terms.length);
      },
    };
  },
});
