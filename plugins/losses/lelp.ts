import { UserError } from "../../core/errors.ts";
import { defineLoss, type LossCall, type LossSetup, type PrepareCall } from "../../core/plugin/loss.ts";
import { bounded, temperatureSchema } from "../../core/recipe/bounds.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";
import { divergences } from "./divergence.ts";
import { randomRotation, rowSpace, subclassDirections } from "./subclass_directions.ts";

interface LelpOptions {
  subclasses: number;
  temperature: Scheduled;
  beta: Scheduled;
  standardise: boolean;
  nullSpace: boolean;
}

/** Sizes of what is divided. */
interface Sizes {
  readonly classes: number;
  readonly subclasses: number;
  /** Width of the teacher's embeddings. */
  readonly width: number;
}

/** Checks that student and teacher fit. */
function sizesOf({ subclasses }: LelpOptions, { data, shapes }: LossSetup): Sizes {
  if (data.task !== "classification") throw new UserError(`Cannot divide classes for ${data.task}`);
  if (!shapes.teacher) throw new UserError("Cannot divide classes by a teacher's embeddings: there is no teacher");
  const classes = data.classes.length;
  const given = shapes.student.subclassLogits?.at(-1) ?? classes;
  if (given !== classes * subclasses) {
    throw new UserError(
      `Cannot divide ${classes} classes into ${subclasses} each as the student gives ${given} logits: set ` +
        `student.subclasses to ${subclasses}, an option of resnet and of bert`,
    );
  }
  return { classes, subclasses, width: shapes.teacher.pooled.at(-1)! };
}

/** Orthonormal rows that span what the teacher's last layer sees; none where that is not to be left out. */
async function excludedRows(
  { nullSpace }: LelpOptions,
  { classes, subclasses, width }: Sizes,
  { teacher, report }: LossSetup,
  { ops, teacherWeights }: PrepareCall,
): Promise<Float64Array> {
  if (!nullSpace) return new Float64Array(0);
  if (width < subclasses + classes) {
    report(`lelp: embeddings ${width} wide have no room beside the teacher's last layer: its null space is not used`);
    return new Float64Array(0);
  }
  const name = teacher!.classifier;
  if (name === undefined) {
    throw new UserError(
      "Cannot use the null space of the teacher's last layer, which it does not name: set nullSpace to false",
    );
  }
  const weight = teacherWeights.get(name);
  const [numbers] = await ops.read([weight]);
  return rowSpace(Float64Array.from(numbers), weight.size / width, width);
}

/**
 * The teacher's log-probabilities of subclasses: log p_c + log softmax_s(z_cs / beta), with z_cs the example's place
 * along direction s of class c. `[batch, classes * subclasses]`
 */
function subclassTargets({ ops, teacher, state }: LossCall, sizes: Sizes, temperature: number, beta: number): Tensor {
  const { classes, subclasses } = sizes;
  const places = ops.linear(teacher.pooled, state.get("directions"), ops.negate(state.get("offsets")));
  const within = ops.logSoftmax(ops.scale(ops.reshape(places, [-1, classes, subclasses]), 1 / beta));
  const ofClasses = ops.logSoftmax(ops.scale(teacher.logits, 1 / temperature)); // [batch, classes]
  return ops.reshape(ops.add(within, ops.reshape(ofClasses, [-1, classes, 1])), [-1, classes * subclasses]);
}

/**
 * Learned embedding linear projections (LELP, Loo, Iliopoulos, Hu and Vee 2024, arXiv 2409.20449): the teacher's
 * embeddings divide each class into pseudo-subclasses, which the student learns: T^2 KL(p || q), mean over the batch:
 *
 * p_cs = softmax(z_T / T)_c exp(z_cs / beta) / sum_j exp(z_cj / beta), z_cs = v_cs (h - mean_c), q = softmax of the
 * student's logits of all subclasses over T.
 *
 * h are the teacher's pooled features, mean_c their mean over class c and v_cs its principal directions, rotated by one
 * random orthonormal matrix; with `nullSpace` orthogonal to what the teacher's last layer sees, which p has already.
 * They are found once over the unaugmented training examples that have a label; all of them learn from it. The student
 * needs the option `subclasses` of the same number; its prediction is the sum over each class. The paper uses no
 * cross-entropy beside this loss; its grids of T, beta and the number of subclasses are not published.
 */
export const lelp = defineLoss<LelpOptions>({
  name: "lelp",
  description: "Subclasses found in the teacher's embeddings (LELP); the student needs as many subclasses",
  equation: "T^2 KL(p || softmax(z_S / T)) over subclasses, p_cs = p_c softmax_s(v_cs (h - mean_c) / beta)",
  source: "Loo et al. 2024, arXiv 2409.20449",
  options: ({ z, scheduled }) =>
    z.strictObject({
      subclasses: bounded(z.int().min(1).max(1000), "each is one more row of the last layer").default(4).describe(
        "Parts that each class is divided into",
      ),
      temperature: scheduled(temperatureSchema).default(2).describe("Temperature T that softens both outputs"),
      beta: scheduled(temperatureSchema).default(1).describe("Temperature of the subclasses within their class"),
      standardise: z.boolean().default(true).describe(
        "Let beta count in the root mean square of the places along the directions; false: in the embeddings' unit",
      ),
      nullSpace: z.boolean().default(true).describe(
        "Divide by what the teacher's last layer does not see, if embeddings are at least subclasses + classes wide",
      ),
    }),
  create(options, setup) {
    const sizes = sizesOf(options, setup);
    const { classes, subclasses, width } = sizes;
    const initialise = { use: "constant", value: 0 } as const;
    return {
      teacherOutputs: ["logits", "pooled"],
      labels: "some",
      unlabelled: true,
      state: [
        { name: "directions", shape: [classes * subclasses, width], initialise },
        { name: "offsets", shape: [classes * subclasses], initialise },
      ],
      async prepare(call) {
        const { ops, labels, overTrainingSet, state, random } = call;
        const { directions, offsets, spread } = subclassDirections({
          embeddings: await overTrainingSet(({ pooled }) => pooled),
          labels: labels!,
          ...sizes,
          excluded: await excludedRows(options, sizes, setup, call),
          rotation: randomRotation(subclasses, random.split("rotation")),
        });
        const unit = options.standardise && spread > 0 ? 1 / spread : 1;
        const assign = (name: string, values: Float64Array) => {
          const target = state.get(name);
          ops.assign(target, ops.tensor(values.map((value) => unit * value), target.shape));
        };
        ops.scope(() => {
          assign("directions", directions);
          assign("offsets", offsets);
        });
      },
      compute(call) {
        const { ops, student, at } = call;
        const [temperature, beta] = [at(options.temperature), at(options.beta)];
        const logTeacher = subclassTargets(call, sizes, temperature, beta);
        const logStudent = ops.logSoftmax(ops.scale(student.subclassLogits ?? student.logits, 1 / temperature));
        return ops.scale(ops.mean(divergences(ops, logTeacher, logStudent)), temperature ** 2);
      },
    };
  },
});
