import { bounded, layerIndex, lossFactor } from "../../core/recipe/bounds.ts";
import { UserError } from "../../core/errors.ts";
import type { Ops } from "../../core/ops/ops.ts";
import { defineLoss, type LossSetup } from "../../core/plugin/loss.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";
import { expectSameLength, layerAt, layersOf } from "./attention_layers.ts";
import { maskedMean, tokenPositions } from "./masked.ts";

interface MiniLmOptions {
  student: number;
  teacher: number;
  heads: number | null;
  queries: Scheduled;
  keys: Scheduled;
  values: Scheduled;
}

const NAME = "minilm";
/** Relation heads for a teacher of base size in the paper. */
const USUAL_HEADS = 48;
/** Added to a hidden key's score: its probability is then 0 in float32. */
const HIDDEN = 1e9;

/** The layers that are compared, and into how many relation heads each is divided. */
function layOut({ student, teacher, heads }: MiniLmOptions, { shapes, report }: LossSetup) {
  const sides = [["student", student], ["teacher", teacher]] as const;
  const layers = sides.map(([model, layer]) => {
    const all = layersOf(NAME, "relations", shapes, model);
    const place = layerAt(NAME, model, layer, all.length);
    const [, count, , width] = all[place];
    return { place, shape: all[place], width: count * width };
  });
  expectSameLength(NAME, layers[0].shape, layers[1].shape);
  const widths = layers.map(({ width }) => width);
  const divides = (count: number) => widths.every((width) => width % count === 0);
  if (heads !== null && !divides(heads)) {
    throw new UserError(
      `Cannot divide layers ${widths[0]} and ${widths[1]} wide into ${heads} relation heads in "${NAME}": ` +
        "the number must divide both widths",
    );
  }
  let chosen = heads ?? USUAL_HEADS;
  while (!divides(chosen)) chosen--;
  report(`${NAME}: student's layer ${layers[0].place} with the teacher's ${layers[1].place}, ${chosen} relation heads`);
  return { student: layers[0].place, teacher: layers[1].place, heads: chosen };
}

/** A A^T / sqrt(d) for each relation head, `[batch, heads, length, length]`; far below the others at padding. */
function relationScores(ops: Ops, vectors: Tensor, heads: number, hidden: Tensor): Tensor {
  const [batch, own, length, width] = vectors.shape;
  const headWidth = own * width / heads;
  const tokens = ops.reshape(ops.permute(vectors, [0, 2, 1, 3]), [batch, length, heads, headWidth]);
  const rows = ops.permute(tokens, [0, 2, 1, 3]); // [batch, heads, length, headWidth]
  const scores = ops.scale(ops.matmul(rows, rows, { transposeB: true }), 1 / Math.sqrt(headWidth));
  return ops.subtract(scores, hidden);
}

/**
 * MiniLMv2 (Wang et al. 2021, arXiv 2012.15828): how the tokens' queries, keys and values lie to each other in one
 * layer of each model. For A in {Q, K, V}, with the heads joined and divided anew into R relation heads, w_A / (R |x|)
 * sum_a sum_t KL(softmax(A_T A_T^T / sqrt(d_T)) || softmax(A_S A_S^T / sqrt(d_S))), row t of relation head a each, d
 * the width of a relation head. So neither widths nor numbers of heads need agree. Padding counts neither as query nor
 * as key; the mean runs over all tokens of the batch.
 *
 * The paper compares the student's last layer with the teacher's last one for teachers of base size (R = 48), and with
 * an upper middle one of large teachers (R = 64; layer 21 of BERT-large's 24, which is `teacher: 20` here).
 */
export const minilm = defineLoss<MiniLmOptions>({
  name: NAME,
  description: "Relations of queries, keys and values between the tokens of a text (MiniLMv2)",
  equation: "sum over A in {Q, K, V} of mean_(a,t) KL(softmax(A_T A_T^T / sqrt(d)) || softmax(A_S A_S^T / sqrt(d)))",
  source: "Wang et al. 2021, arXiv 2012.15828 (MiniLMv2)",
  options: ({ z, scheduled }) => {
    const weight = (what: string) => scheduled(lossFactor).default(1).describe(`Weight of the ${what} relations`);
    return z.strictObject({
      student: layerIndex.default(-1).describe("Layer of the student, from 0; negative ones count from the end"),
      teacher: layerIndex.default(-1).describe("Layer of the teacher"),
      heads: bounded(z.int().min(1).max(2 ** 10), "each has a matrix of relations of its own").nullable().default(null)
        .describe(
          "Relation heads; null: 48, or the next smaller number that divides both widths",
        ),
      queries: weight("query-query"),
      keys: weight("key-key"),
      values: weight("value-value"),
    });
  },
  create(options, setup) {
    const { student: place, teacher: target, heads } = layOut(options, setup);
    return {
      teacherOutputs: ["relations"],
      meanOver: "tokens",
      compute({ ops, student, teacher, batch, at }) {
        const [a, b] = [student.relations![place], teacher.relations![target]];
        const [size, , length] = a.queries.shape;
        const tokens = tokenPositions(ops, batch, size, length);
        const hidden = ops.constant(() => ops.reshape(ops.scale(ops.complement(tokens), HIDDEN), [size, 1, 1, length]));
        const terms = (["queries", "keys", "values"] as const).map((kind) => {
          const ofTeacher = ops.constant(() => relationScores(ops, b[kind], heads, hidden));
          const ofStudent = relationScores(ops, a[kind], heads, hidden);
          const rows = ops.klDivergence(ofTeacher, ofStudent); // [batch, heads, length]
          return ops.scale(maskedMean(ops, rows, ops.reshape(tokens, [size, 1, length])), at(options[kind]));
        });
        return ops.total(terms);
      },
    };
  },
});
