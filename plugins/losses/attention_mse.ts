import { layerIndex } from "../../core/recipe/bounds.ts";
import { UserError } from "../../core/errors.ts";
import { defineLoss, type LossSetup } from "../../core/plugin/loss.ts";
import { type AttentionPair, expectSameLength, layerAt, layersOf, uniformPairs } from "./attention_layers.ts";
import { maskedMean, tokenPositions } from "./masked.ts";

interface AttentionMseOptions {
  layers: "uniform" | AttentionPair[];
  of: "scores" | "probabilities";
}

const NAME = "attention-mse";

/** The pairs of layers, each with as many heads and tokens on both sides. */
function pairUp({ layers, of }: AttentionMseOptions, { shapes }: LossSetup): AttentionPair[] {
  const list = of === "scores" ? "scores" : "attention";
  const [student, teacher] = (["student", "teacher"] as const).map((model) => layersOf(NAME, list, shapes, model));
  const pairs = layers === "uniform" ? uniformPairs(NAME, student.length, teacher.length) : layers.map((pair) => ({
    student: layerAt(NAME, "student", pair.student, student.length),
    teacher: layerAt(NAME, "teacher", pair.teacher, teacher.length),
  }));
  for (const pair of pairs) {
    const shapes = [student[pair.student], teacher[pair.teacher]] as const;
    const [a, b] = shapes.map(([, heads]) => heads);
    if (a !== b) {
      throw new UserError(
        `Cannot compare ${a} attention heads of the student with ${b} of the teacher in "${NAME}": the numbers must be ` +
          "equal; minilm does without",
      );
    }
    expectSameLength(NAME, ...shapes);
  }
  return pairs;
}

/**
 * Attention-based distillation of TinyBERT (Jiao et al. 2020, arXiv 1909.10351): for each pair of layers
 * (1 / h) sum_i MSE(A_i of the student, A_i of the teacher) over the h heads; pairs are summed. A is the matrix of
 * scores q k / sqrt(d) before the softmax as in the paper, or of probabilities. The m-th of the student's M layers is
 * compared with the m N / M-th of the teacher's N unless pairs are given. Where queries or keys are padding nothing is
 * compared.
 */
export const attentionMse = defineLoss<AttentionMseOptions>({
  name: NAME,
  description: "Squared differences of attention, head by head (TinyBERT)",
  equation: "sum over pairs of layers of mean over heads of MSE(A_S, A_T)",
  source: "Jiao et al. 2020, arXiv 1909.10351 (TinyBERT)",
  options: ({ z }) => {
    const layer = (who: string) => layerIndex.describe(`Layer of the ${who}, from 0; negative ones count from the end`);
    return z.strictObject({
      layers: z.union([
        z.literal("uniform"),
        z.array(z.strictObject({ student: layer("student"), teacher: layer("teacher") })).min(1),
      ]).default("uniform").describe("Pairs of layers to compare; uniform spreads the student's over the teacher's"),
      of: z.enum(["scores", "probabilities"]).default("scores").describe("Before the softmax, or after it"),
    });
  },
  create(options, setup) {
    const pairs = pairUp(options, setup);
    const list = options.of === "scores" ? "scores" : "attention";
    return {
      teacherOutputs: [list],
      meanOver: "tokens",
      compute({ ops, student, teacher, batch }) {
        const terms = pairs.map((pair) => {
          const [a, b] = [student[list]![pair.student], teacher[list]![pair.teacher]]; // [batch, heads, length, length]
          const [size, , length] = a.shape;
          const mask = ops.constant(() => {
            const tokens = tokenPositions(ops, batch, size, length);
            const [queries, keys] = [[length, 1], [1, length]].map((way) => ops.reshape(tokens, [size, 1, ...way]));
            return ops.multiply(queries, keys); // [batch, 1, length, length]
          });
          return maskedMean(ops, ops.square(ops.subtract(a, b)), mask);
        });
        return ops.total(terms);
      },
    };
  },
});
