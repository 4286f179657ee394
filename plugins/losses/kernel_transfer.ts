import { epochCount } from "../../core/recipe/bounds.ts";
import { UserError } from "../../core/errors.ts";
import type { Ops } from "../../core/ops/ops.ts";
import { defineLoss, type EpochCall, type LossCall, type StateSpec } from "../../core/plugin/loss.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";
import { oneHot } from "./one_hot.ts";

/** What is compared: the features before the last linear layer, its logits, or both. */
type Layer = "before" | "after";

const LAYERS: Readonly<Record<Layer | "both", readonly Layer[]>> = {
  before: ["before"],
  after: ["after"],
  both: ["before", "after"],
};
const OUTPUT = { before: "pooled", after: "logits" } as const;
const MODELS = ["student", "teacher"] as const;
const METRIC = { before: "kernelGapBefore", after: "kernelGapAfter" } as const;

/** Below this a kernel counts as zero, as it is before there are landmarks. */
const SMALLEST = 1e-12;

/** Names of the state's tensors. */
const centresOf = (model: string, layer: Layer) => `${model} centres ${layer}`;
const sumsOf = (model: string, layer: Layer) => `${model} sums ${layer}`;
const gapOf = (layer: Layer) => `squared gap ${layer}`;
const normOf = (layer: Layer) => `squared norm ${layer}`;

/** A batch's part of both kernels: examples against the landmarks, `[batch, classes]`. */
function partialKernels({ ops, student, teacher, state }: LossCall, layer: Layer) {
  const [s, t] = [student, teacher].map((outputs, index) => {
    const landmarks = state.get(centresOf(MODELS[index], layer)); // [classes, width]
    return ops.matmul(outputs[OUTPUT[layer]], landmarks, { transposeB: true });
  });
  return { gap: ops.subtract(s, t), teacher: t };
}

/** Squared Frobenius norm. */
const squared = (ops: Ops, x: Tensor) => ops.sum(ops.square(x));

/** Adds to a tensor of the state. */
function accumulate({ ops, state }: LossCall, name: string, value: Tensor): void {
  ops.assign(state.get(name), ops.add(state.get(name), value));
}

/** Sums over the epoch become its class centres; a class that did not occur keeps those it had. */
function renewCentres({ ops, state }: EpochCall, layer: Layer): void {
  const counts = ops.reshape(state.get("counts"), [-1, 1]);
  const occurred = ops.minimum(counts, ops.scalar(1));
  for (const model of MODELS) {
    const [sums, centres] = [state.get(sumsOf(model, layer)), state.get(centresOf(model, layer))];
    const means = ops.divide(sums, ops.clampMinimum(counts, 1));
    ops.assign(centres, ops.add(means, ops.multiply(centres, ops.complement(occurred))));
  }
}

/** Sets tensors of the state to zero. */
function clear({ ops, state }: EpochCall, names: readonly string[]): void {
  for (const name of names) ops.assign(state.get(name), ops.full(state.get(name).shape, 0));
}

/**
 * Kernel transfer (KDA, Qian, Li and Hu 2022, arXiv 2009.14416): the kernel of all examples against each other, by
 * Nyström's method with one landmark a class, made that of the teacher. For each batch
 * sum of h(F_S D_S^T - F_T D_T^T) / ||F_T D_T^T||_F, h(x) = x^2 / 2 for |x| < 1, else |x| - 1/2, with the features F
 * `[batch, width]` and the landmarks D `[classes, width]`: the class means of the features over the epoch before, as
 * the student had them in training, of the examples that have a label. The widths need not agree, as only
 * `[batch, classes]` is compared.
 *
 * The landmarks are zero in the first epoch and crude in the next ones: the loss is 0 for `warmUpEpochs`. The published
 * weight is 0.04 for CIFAR-100. With `both`, as the paper's Combo, the losses before and after the last layer are
 * added.
 *
 * At the end of an epoch it reports the share of the kernel that was not transferred, ||C_S - C_T||_F / ||C_T||_F of
 * the epoch's partial kernels C = F D^T, of all its examples against the landmarks of the epoch before.
 */
export const kernelTransfer = defineLoss<{ layer: Layer | "both"; warmUpEpochs: number }>({
  name: "kernel-transfer",
  description: "Kernel of the examples against class centres made the teacher's (KDA)",
  equation: "sum of h(F_S D_S^T - F_T D_T^T) / ||F_T D_T^T||_F, D the class centres, h of Huber",
  source: "Qian, Li and Hu 2022, arXiv 2009.14416",
  options: ({ z }) =>
    z.strictObject({
      layer: z.enum(["before", "after", "both"]).default("before").describe(
        "Features before the last linear layer, its logits, or the sum of both losses",
      ),
      warmUpEpochs: epochCount.default(5).describe(
        "Epochs until the loss begins; there are no landmarks in the first",
      ),
    }),
  create({ layer, warmUpEpochs }, { data, shapes }) {
    if (data.task !== "classification") {
      throw new UserError(`Cannot transfer kernels for ${data.task}: their landmarks are the centres of classes`);
    }
    if (!shapes.teacher) throw new UserError("Cannot transfer a teacher's kernel: there is no teacher");
    const classes = data.classes.length;
    const layers = LAYERS[layer];
    const widths = { student: shapes.student.pooled.at(-1)!, teacher: shapes.teacher.pooled.at(-1)! };
    const zeros = (name: string, ...shape: number[]): StateSpec => {
      return { name, shape, initialise: { use: "constant", value: 0 } };
    };
    const perLayer = layers.flatMap((layer) => [
      ...MODELS.flatMap((model) => {
        const width = layer === "after" ? classes : widths[model];
        return [zeros(sumsOf(model, layer), classes, width), zeros(centresOf(model, layer), classes, width)];
      }),
      zeros(gapOf(layer)),
      zeros(normOf(layer)),
    ]);
    const begun: Scheduled = { from: 0, to: 1, schedule: "step", epochs: warmUpEpochs, steps: null };
    return {
      teacherOutputs: layers.map((layer) => OUTPUT[layer]),
      meanOver: "batch",
      labels: "some",
      unlabelled: true,
      begins: warmUpEpochs,
      state: [zeros("counts", classes), ...perLayer],
      compute(call) {
        const { ops, at } = call;
        if (at(begun) === 0) return ops.scalar(0);
        const terms = layers.map((layer) => {
          const { gap, teacher } = partialKernels(call, layer);
          const norm = ops.sqrt(ops.clampMinimum(squared(ops, teacher), SMALLEST ** 2));
          return ops.divide(ops.sum(ops.huber(gap, 1)), norm);
        });
        return ops.total(terms);
      },
      observe(call) {
        const { ops, batch } = call;
        const membership = oneHot(ops, batch.label, classes); // [batch, classes], zeros for one without a label
        accumulate(call, "counts", ops.sum(membership, { axes: [0] }));
        for (const layer of layers) {
          for (const model of MODELS) {
            const sums = ops.matmul(membership, call[model][OUTPUT[layer]], { transposeA: true });
            accumulate(call, sumsOf(model, layer), sums);
          }
          const { gap, teacher } = partialKernels(call, layer);
          accumulate(call, gapOf(layer), squared(ops, gap));
          accumulate(call, normOf(layer), squared(ops, teacher));
        }
      },
      endEpoch(call) {
        const { ops, state, epoch } = call;
        const metrics = layers.map((layer) => {
          const norm = ops.clampMinimum(state.get(normOf(layer)), SMALLEST ** 2);
          return [METRIC[layer], ops.sqrt(ops.divide(state.get(gapOf(layer)), norm))] as const;
        });
        for (const layer of layers) {
          renewCentres(call, layer);
          clear(call, [...MODELS.map((model) => sumsOf(model, layer)), gapOf(layer), normOf(layer)]);
        }
        clear(call, ["counts"]);
        return epoch === 1 ? {} : Object.fromEntries(metrics);
      },
    };
  },
});
