import { UserError } from "../../core/errors.ts";
import type { Ops } from "../../core/ops/ops.ts";
import { defineLoss, type LossCall, type LossSetup, type PrepareCall } from "../../core/plugin/loss.ts";
import type { ForwardCall, Model } from "../../core/plugin/model.ts";
import { bounded } from "../../core/recipe/bounds.ts";
import type { Tensor } from "../../core/tensor.ts";
import { integratedGradients, type Place, placesOf } from "./attributions.ts";
import { unitVectors, vectorLengths } from "./vectors.ts";

interface AdKdOptions {
  readonly steps: number;
  readonly topK: number | null;
}

/** Under this a token's attribution counts as none. */
const SMALLEST = 1e-12;

/** The teacher's map of each training example: for each view the tokens' numbers one after another. */
type Maps = readonly Float32Array[];

/** The classes by which answers are explained: two tell the same of each other, so one of them is enough. */
function viewsOf({ task, classes }: LossSetup["data"]): number[] {
  const count = task === "regression" ? 1 : classes.length;
  return count <= 2 ? [count - 1] : Array.from({ length: count }, (_, view) => view);
}

/** @throws UserError for data or models of which tokens have no attributions, or not the same tokens */
function expectTokens({ steps, topK }: AdKdOptions, { data, student, teacher, shapes, sameTokens }: LossSetup): Model {
  const refuse = (reason: string) => new UserError(`Cannot use the loss "ad-kd" ${reason}`);
  if (!teacher || !shapes.teacher) throw refuse("without a teacher");
  const { members = 1 } = teacher;
  if (members > 1) {
    throw refuse(`with ${members} teachers: their mean is of several embeddings, and has no attributions to one`);
  }
  if (!data.text) throw refuse("for images: it compares what tokens of texts add to an answer");
  if (data.task !== "classification" && data.task !== "regression") {
    throw refuse(`for ${data.task}: it explains one answer of a text, by a class or a number`);
  }
  if (!sameTokens) throw refuse("as the teacher has another tokenizer: its attributions are of other tokens");
  for (const [who, own] of [["student", shapes.student], ["teacher", shapes.teacher]] as const) {
    if (own.features.embeddings) continue;
    throw refuse(`as the ${who} does not give what its first layer gets (features.embeddings): expected an encoder`);
  }
  const width = shapes.teacher.features.embeddings.at(-1)!;
  if (topK !== null && topK > width) throw refuse(`with topK: ${topK}: the teacher's embeddings are ${width} wide`);
  for (const [who, { runLayer }] of [["student", student], ["teacher", teacher]] as const) {
    if (steps > 1 && !runLayer) throw refuse(`with steps: ${steps}: the layers of the ${who} cannot be run alone`);
  }
  return teacher;
}

/** Lengths of the tokens' attributions, `[batch, length, width]` to `[batch, length]`; that of none has no gradient. */
function lengthsOf(ops: Ops, attributions: Tensor): Tensor {
  const { length, present } = vectorLengths(ops, attributions, SMALLEST);
  return ops.reshape(ops.multiply(length, present), attributions.shape.slice(0, 2));
}

/** The largest k numbers of each row of `width`, as the length of a vector. */
function topLengths(numbers: ArrayLike<number>, width: number, k: number): Float32Array {
  const lengths = new Float32Array(numbers.length / width);
  const row = new Float64Array(width);
  for (let token = 0; token < lengths.length; token++) {
    for (let i = 0; i < width; i++) row[i] = numbers[token * width + i] ** 2;
    row.sort();
    lengths[token] = Math.sqrt(row.subarray(width - k).reduce((sum, square) => sum + square, 0));
  }
  return lengths;
}

/** What cannot be differentiated becomes a sentence for the user: frozen embeddings, an operation without a rule. */
function asked<Result>(body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError(`Cannot use the loss "ad-kd" with these models: ${error.message}`);
  }
}

/** Lengths of a batch's attributions in each view, `[batch, views, length]`; with topK all numbers, `[..., width]`. */
function attributionsIn(
  { steps, topK }: AdKdOptions,
  teacher: Model,
  views: readonly number[],
  call: ForwardCall,
): Tensor {
  const { ops } = call;
  let all: Tensor | undefined;
  // Nothing but the gradients that are taken on the way is wanted.
  ops.differentiate(() => {
    const places = placesOf(teacher, call, steps);
    const each = views.map((view) => integratedGradients(ops, places, view));
    all = ops.concat(each.map((one) => ops.reshape(one, [one.shape[0], 1, ...one.shape.slice(1)])), { axis: 1 });
    return ops.scalar(0);
  }, []);
  return topK === null ? ops.sqrt(ops.sum(ops.square(all!), { axes: [3] })) : all!;
}

/** The maps of the teacher's answers to all training examples. @throws UserError for numbers that are not finite */
async function teacherMaps(
  options: AdKdOptions,
  teacher: Model,
  views: readonly number[],
  { overTrainingBatches }: PrepareCall,
): Promise<Maps> {
  const maps: Float32Array[] = [];
  const computed = overTrainingBatches((call) => asked(() => attributionsIn(options, teacher, views, call)));
  for await (const { indices, shape: [, , length, width], data } of computed) {
    const lengths = width === undefined ? Float32Array.from(data) : topLengths(data, width, options.topK!);
    if (!lengths.every(Number.isFinite)) {
      throw new UserError('Cannot use the loss "ad-kd" as attributions of the teacher are not finite numbers');
    }
    const size = views.length * length;
    indices.forEach((_, row) => maps.push(unitMap(lengths.subarray(row * size, (row + 1) * size), length)));
  }
  return maps;
}

/** Each view's tokens divided by their length as a vector, without the padding behind the last that counts in any. */
function unitMap(lengths: Float32Array, length: number): Float32Array {
  const views = lengths.length / length;
  let tokens = 0;
  for (let i = 0; i < lengths.length; i++) if (lengths[i] !== 0) tokens = Math.max(tokens, i % length + 1);
  const map = new Float32Array(views * tokens);
  for (let view = 0; view < views; view++) {
    const own = lengths.subarray(view * length, view * length + tokens);
    const whole = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    own.forEach((value, token) => map[view * tokens + token] = value / Math.max(whole, SMALLEST));
  }
  return map;
}

/** The maps of a batch, `[batch, views, most]`, and of each view one over how many of their numbers are not 0. */
function mapsOf(maps: Maps, indices: Uint32Array, views: number, most: number) {
  const data = new Float32Array(indices.length * views * most);
  const counts = new Float32Array(views);
  indices.forEach((example, row) => {
    const map = maps[example];
    const tokens = map.length / views;
    for (let view = 0; view < views; view++) {
      const own = map.subarray(view * tokens, (view + 1) * tokens);
      data.set(own, (row * views + view) * most);
      for (const value of own) if (value !== 0) counts[view]++;
    }
  });
  return {
    maps: { data, shape: [indices.length, views, most] },
    shares: { data: counts.map((count) => 1 / Math.max(1, count)), shape: [views] },
  };
}

const noSeed = () => {
  throw new Error("A model asked for a random number in evaluation");
};

/**
 * Attribution-driven distillation (AD-KD, Wu et al., ACL 2023, arXiv 2305.10010): the student is to answer for the
 * teacher's reasons. For each class c (of two, one: both give the same map) the tokens i of a text have attributions
 *
 * A_ci = x_i mean_k dF_c/dx_i at k x / m, k = 1 to m (integrated gradients of F_c from no embeddings on),
 *
 * a_ci the length of A_ci, of the teacher's that of its largest topK numbers, and a_c / ||a_c|| over the text's tokens
 * is the map. The loss is the sum over classes of the squared differences of both maps, over the number of the
 * teacher's entries that are not 0; so it is the mean over tokens. x is what the first layer gets.
 *
 * It differentiates twice: a step needs the gradient of dF/dx by the weights. The published code takes it from
 * PyTorch's double backward (`create_graph=True`), with m = 1 in all its runs, which is the gradient times the
 * embeddings. Here it is as exact, forward over reverse (`ops.gradient`), and not the finite difference that would cost
 * digits. As published, the attributions of m = 1 are of the training step itself, with its dropout; those of more
 * steps run the student anew, without.
 *
 * F_c is the log-odds z_c - log sum_(j != c) exp(z_j). The published code has -log p_c, whose gradient is the same
 * times p_c - 1 and so gives the same map at m = 1; of a teacher that is sure of a class its float32 numbers cancel
 * out. The published code computes the teacher's map in every step, we once before training, as it never changes.
 */
export const adKd = defineLoss<AdKdOptions>({
  name: "ad-kd",
  description: "Attributions of tokens as the teacher's, by integrated gradients (AD-KD)",
  equation:
    "sum over classes of |a_S / ||a_S|| - a_T / ||a_T|||^2, a_i = |x_i mean_k dF_c/dx_i (k x / m)|, mean over tokens",
  source: "Wu et al., ACL 2023, arXiv 2305.10010",
  options: ({ z }) =>
    z.strictObject({
      steps: bounded(z.int().min(1).max(64), "each runs both models once more").default(1).describe(
        "Places m at which gradients are taken between no embeddings and those of the text",
      ),
      topK: bounded(z.int().min(1).max(2 ** 16), "no embeddings are wider").nullable().default(null).describe(
        "How many of a token's attributions count in the teacher's map, the largest; null: all",
      ),
    }),
  create(options, setup) {
    const { data, student: model } = setup;
    const teacher = expectTokens(options, setup);
    const views = viewsOf(data);
    let known: Maps = [];
    return {
      teacherOutputs: [],
      meanOver: "tokens",
      runsTeacher: true,
      async prepare(call) {
        known = await teacherMaps(options, teacher, views, call);
      },
      inputs: ({ indices }) => mapsOf(known, indices, views.length, data.text!.maxLength),
      compute({ ops, student, batch, weights }: LossCall) {
        const { embeddings } = student.features;
        if (embeddings.format === "f16") {
          throw new UserError('Cannot use the loss "ad-kd" with train.precision: f16: its gradients would be cut off');
        }
        const [size, length] = embeddings.shape;
        return asked(() => {
          const places: Place[] = options.steps === 1
            ? [{ embeddings, logits: student.logits }]
            : placesOf(model, { ops, weights, batch, training: false, randomSeed: noSeed }, options.steps);
          return ops.total(views.map((view, index) => {
            const map = unitVectors(ops, lengthsOf(ops, integratedGradients(ops, places, view)), SMALLEST);
            const part = ops.slice(batch.maps, { axis: 1, begin: index, length: 1 });
            const taught = ops.reshape(ops.slice(part, { axis: 2, begin: 0, length }), [size, length]);
            const share = ops.reshape(ops.slice(batch.shares, { axis: 0, begin: index, length: 1 }), []);
            return ops.multiply(ops.sum(ops.square(ops.subtract(map, taught))), share);
          }));
        });
      },
    };
  },
});
