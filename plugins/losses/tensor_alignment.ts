import { UserError } from "../../core/errors.ts";
import { auxiliaryIndices } from "../../core/mpo/chain.ts";
import { defineLoss, type LossSetup } from "../../core/plugin/loss.ts";
import type { Tensor } from "../../core/tensor.ts";
import { automaticLayerMap, showPairs } from "./layer_map.ts";

interface TensorAlignmentOptions {
  layers: "auto" | Record<string, string>;
  onMismatch: "error" | "skip";
}

interface Pair {
  readonly student: string;
  readonly teacher: readonly Tensor[];
}

/** The pairs of weights to align, by the recipe's map or the automatic one; unequal shapes are refused or left out. */
async function pairUp(
  { layers, onMismatch }: TensorAlignmentOptions,
  { chains, report, teacher, startsFrom }: LossSetup,
): Promise<Pair[]> {
  const overParameterised = new Map([...chains.student.keys()].map((name) => [name, chains.shapes.student.get(name)!]));
  if (!teacher) throw new UserError("Cannot align tensors without a teacher");
  if (overParameterised.size === 0) {
    const [other] = chains.others;
    throw new UserError(
      "Cannot align tensors: no weight of the student is over-parameterised" +
        (other ? ` as a chain (use: mpo): ${other[0]} has use: ${other[1]}, and no cores` : ""),
    );
  }
  // A layer's place is that among all of the student's, of which some may be no chains.
  const map = layers === "auto"
    ? new Map(
      [...automaticLayerMap(chains.shapes.student, chains.shapes.teacher)].filter(([name]) =>
        overParameterised.has(name)
      ),
    )
    : new Map(Object.entries(layers));
  const pairs: Pair[] = [];
  const skipped: string[] = [];
  for (const [student, partner] of map) {
    const shape = overParameterised.get(student);
    const other = chains.others.get(student);
    if (other) throw new UserError(`Cannot align "${student}": it is no chain, but has use: ${other}, and no cores`);
    if (!shape) {
      throw new UserError(
        `Cannot align "${student}": it is not over-parameterised; there are ${
          [...overParameterised.keys()].join(", ")
        }`,
      );
    }
    const target = partner === null ? undefined : chains.shapes.teacher.get(partner);
    if (partner !== null && !target) throw new UserError(`Cannot align "${student}": the teacher has no "${partner}"`);
    if (partner === null || target!.join() !== shape.join()) {
      const reason = partner === null
        ? `no weight of the teacher has its shape [${shape}]`
        : `its shape is [${shape}] and that of the teacher's "${partner}" is [${target}]`;
      if (onMismatch === "error") {
        throw new UserError(`Cannot align "${student}": ${reason}; onMismatch: skip leaves it out`);
      }
      skipped.push(`${student} (${reason})`);
      continue;
    }
    const cores = await chains.decomposeTeacher(partner, student);
    // The central tensor is left free: the teacher's would only take memory.
    const auxiliary = auxiliaryIndices(cores.length);
    cores.forEach((core, k) => auxiliary.includes(k) || core.dispose());
    pairs.push({ student, teacher: cores });
  }
  if (skipped.length > 0) report(`tensor-alignment leaves out ${skipped.length}: ${skipped.join("; ")}`);
  if (pairs.length === 0) {
    throw new UserError(
      `Cannot align tensors: every pair was left out, ${
        skipped[0]
      }: make the student as wide as the teacher, or leave ` +
        "this loss out",
    );
  }
  report(`tensor-alignment pairs ${showPairs(pairs.map(({ student }) => [student, map.get(student)!]))}`);
  if (pairs.every(({ student }) => startsFrom.get(student) === map.get(student))) {
    report("tensor-alignment pairs each weight with the one that it starts from: the loss begins at 0");
  }
  return pairs;
}

/**
 * L_Aux of OPDF (arXiv 2411.06448, Eq. 5): the mean over the auxiliary tensors A_k of MSE(A_S,k, A_T,k), the central
 * tensor left free, averaged over the pairs of weights. The gradient reaches the student's cores. The mean runs over
 * the n - 1 auxiliary tensors.
 */
export const tensorAlignment = defineLoss<TensorAlignmentOptions>({
  name: "tensor-alignment",
  description: "L_Aux of OPDF: the student's auxiliary tensors near the teacher's",
  equation: "mean over auxiliary tensors k of MSE(A_S,k, A_T,k), mean over pairs of weights",
  source: "Zhan et al. 2024, arXiv 2411.06448 (OPDF), Eq. 5",
  options: ({ z }) =>
    z.strictObject({
      layers: z.union([z.literal("auto"), z.record(z.string(), z.string())]).default("auto").describe(
        "Student's weight to teacher's weight; auto pairs equal names and shapes, spread over the teacher's depth",
      ),
      onMismatch: z.enum(["error", "skip"]).default("error").describe(
        "What to do with a pair of unequal shape: stop, or leave it out and say so",
      ),
    }),
  async create(options, setup) {
    const pairs = await pairUp(options, setup);
    return {
      teacherOutputs: [],
      mixed: true,
      compute({ ops, weights }) {
        const terms = pairs.flatMap(({ student, teacher }) => {
          const cores = weights.cores(student)!;
          const auxiliary = auxiliaryIndices(cores.length);
          const weight = 1 / (auxiliary.length * pairs.length);
          return auxiliary.map((k) => ({ ours: cores[k], theirs: teacher[k], weight }));
        });
        return ops.weightedSquaredDifferences(
          terms.map(({ ours }) => ours),
          terms.map(({ theirs }) => theirs),
          terms.map(({ weight }) => weight),
        );
      },
    };
  },
});
