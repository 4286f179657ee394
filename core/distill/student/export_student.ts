import { norm } from "../../linalg/vector.ts";
import { makeFolderWithin, readUserFile } from "../../files.ts";
import type { Ops } from "../../ops/ops.ts";
import { join } from "../../paths.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { sha256 } from "../../sha256.ts";
import type { RunData } from "../load_data.ts";
import { mergedWeights } from "./merged_weights.ts";
import { moveModelFolder } from "../../model_folder/replace_folder.ts";
import { writeModelFolder } from "../../model_folder/write_folder.ts";
import { readModelWeights } from "../../model_folder/read_weights.ts";
import { WEIGHTS_FILE } from "../../model_folder/stored_tensors.ts";
import { freeze, type FrozenWeights } from "../../nn/frozen_weights.ts";
import { compareLogits } from "../../evaluate/compare_logits.ts";
import type { KeptChannels } from "../../plugin/inner_widths.ts";
import type { Model } from "../../plugin/model.ts";
import type { Stopwatch } from "../stopwatch.ts";
import { NonFiniteWeights, TrainingFailure } from "../stops.ts";
import type { FactorPlan } from "./factors/factor_plan.ts";
import { type Truncated, truncateWeights } from "./factors/truncate_weights.ts";
import type { CutWidths } from "./pruning/cut_channels.ts";
import { withoutMasked } from "./pruning/without_masked.ts";
import type { Student } from "./student.ts";

/** The folder of the exported student, in the run folder. */
export const STUDENT = "student";

/** Its name until it is verified. */
export const UNVERIFIED = "student.unverified";

/** How many examples show whether logits are finite, where nothing else is to be seen. */
const FINITE = 16;

/** A student that was merged, written and verified. */
export interface ExportedStudent {
  /** What the folder has: the student's own model, or one of whose weights some are factors. */
  readonly model: Model;
  /** The same with each weight whole. */
  readonly plain: Model;
  /** As they were read back from the file. */
  readonly weights: FrozenWeights;
  /** Largest difference between its logits and the factored student's. */
  readonly difference: number;
  /** Frobenius norm of each over-parameterised matrix, merged. */
  readonly norms: Readonly<Record<string, number>>;
  /** Whether they are the student's own numbers to the bit: nothing was merged, masked or rounded in the file. */
  readonly same: boolean;
  /** Of each weight with a mask, as it was read back: its numbers, and those of them that are not zero. */
  readonly pruned: Readonly<Record<string, { readonly numbers: number; readonly nonZeros: number }>>;
  /** Channels of each inner width before and after masks took some away; `null` where they took none. */
  readonly widths: CutWidths | null;
  /** Of weights that are factors now how they were cut, and what that changed; `null` where none are. */
  readonly factors: {
    readonly weights: Readonly<Record<string, Truncated>>;
    /** Largest difference between logits before the cut and after it, and the largest logit before. */
    readonly difference: number;
    readonly largest: number;
  } | null;
  /** SHA-256 of the weights file. */
  readonly sha256: string;
  /** Bytes of the weights file. */
  readonly bytes: number;
}

/** The student to export, and the folder. */
export interface ExportSetup {
  readonly ops: Ops;
  readonly student: Student;
  /** How many examples are compared, and how far logits may differ. */
  readonly verify: Recipe["verify"];
  readonly data: Pick<RunData, "dataset" | "test">;
  /** The run folder; the student's is `student` in it. */
  readonly folder: string;
  /** The run's id. */
  readonly run: string;
  /** The model plug-in's name. */
  readonly architecture: string;
  readonly watch: Stopwatch;
  /** Builds the student without the channels that its masks take away; left out, they take away none. */
  readonly narrow?: ((kept: KeptChannels) => Model) | null;
  /** Which weights are exported as factors; left out, none. */
  readonly factors?: FactorPlan | null;
}

/**
 * Merges the student, writes its folder, and verifies what was written: read back from the file, names and axis order
 * included, it must give the factored student's logits. Where nothing is over-parameterised or masked these are the
 * student's own numbers, and it is enough that they are read back to the bit and give finite logits. Weights that are
 * to be factors are cut then, and the model of factors that is read back must give what their products give. Only then
 * does the folder get its name.
 *
 * @throws TrainingFailure if the weights are not finite, or the logits differ by more than the recipe tolerates
 */
export async function exportStudent(setup: ExportSetup): Promise<ExportedStudent> {
  const { ops, student, verify, data, folder, run, architecture, watch, narrow = null, factors: plan = null } = setup;
  const [unverified, final] = [UNVERIFIED, STUDENT].map((name) => join(folder, name));
  const { model, numbers: merged, widths } = await watch.time("merge", async () => {
    const whole = await mergedWeights(student);
    const broken = [...whole].find(([, values]) => !values.every(Number.isFinite));
    if (broken) throw new NonFiniteWeights(broken[0]);
    const narrowed = narrow ? withoutMasked(student.model, whole, await student.masks.read(), narrow) : null;
    const { model, numbers } = narrowed ?? { model: student.model, numbers: whole };
    await makeFolderWithin(unverified);
    await writeModelFolder(unverified, architecture, model, data.dataset.input, numbers, run);
    return { model, numbers, widths: narrowed?.widths ?? null };
  });
  const read = await readModelWeights(unverified, model, "student");
  const weights = freeze(ops, model, read);
  const same = student.overParameterised.size === 0 && student.masks.tensors.size === 0 && sameNumbers(merged, read);
  const compared = await watch.time("verify", () => {
    const probe = same ? Math.min(verify.probe, FINITE) : verify.probe;
    const factored = student.frozenWeights();
    const [trained, stored] = [{ model: student.model, weights: factored }, { model, weights }];
    return compareLogits(ops, trained, stored, data.test, probe).finally(factored.dispose);
  });
  const { difference, largest } = compared;
  if (!(difference <= verify.tolerance * Math.max(1, largest))) {
    weights.dispose();
    throw new TrainingFailure(
      `Merging changed the student: logits of up to ${largest.toPrecision(3)} differ by up to ` +
        `${difference.toPrecision(3)}, more than verify.tolerance ${verify.tolerance} allows; what was written is in ` +
        `"${unverified}"; weights that have grown very large do that, and a lower train.optimiser.learningRate helps`,
    );
  }
  const cut = plan && await watch.time("merge", () => writeFactors(setup, plan, { model, numbers: merged, weights }))
    .finally(weights.dispose);
  const exported = cut ?? { model, weights, factors: null };
  try {
    await moveModelFolder(unverified, final);
  } catch (error) {
    exported.weights.dispose();
    throw error;
  }
  const file = await readUserFile(join(final, WEIGHTS_FILE), "the student");
  return {
    ...exported,
    plain: model,
    widths,
    same: same && !cut,
    difference,
    norms: Object.fromEntries(
      [...student.overParameterised.keys()].map((name) => [name, norm(Float64Array.from(merged.get(name)!))]),
    ),
    pruned: Object.fromEntries(
      (narrow ? [] : [...student.masks.tensors.keys()]).map((name) => {
        const values = read.get(name)!;
        return [name, { numbers: values.length, nonZeros: values.reduce((sum, value) => sum + +(value !== 0), 0) }];
      }),
    ),
    sha256: await sha256(file),
    bytes: file.length,
  };
}

/**
 * Cuts weights to factors, writes the folder of the model that has them in the place of the one without, and compares.
 *
 * @param merged the student that is in the folder
 */
async function writeFactors(
  { ops, verify, data, folder, run, architecture }: ExportSetup,
  plan: FactorPlan,
  { model, numbers: merged, weights: whole }: {
    readonly model: Model;
    readonly numbers: ReadonlyMap<string, Float32Array>;
    readonly weights: FrozenWeights;
  },
): Promise<Pick<ExportedStudent, "model" | "weights" | "factors">> {
  const unverified = join(folder, UNVERIFIED);
  const { model: small, numbers, products, truncated } = await truncateWeights(ops.device, model, merged, plan);
  await writeModelFolder(unverified, architecture, small, data.dataset.input, numbers, run);
  const weights = freeze(ops, small, await readModelWeights(unverified, small, "student"));
  const product = freeze(ops, model, products);
  try {
    const own = { model: small, weights };
    const { test } = data;
    const { difference, largest } = await compareLogits(ops, { model, weights: product }, own, test, verify.probe);
    if (!(difference <= verify.tolerance * Math.max(1, largest))) {
      throw new TrainingFailure(
        `The student of factors gives other logits than their products: of up to ${
          largest.toPrecision(3)
        } they differ ` +
          `by up to ${difference.toPrecision(3)}; what was written is in "${unverified}"`,
      );
    }
    const before = await compareLogits(ops, { model, weights: whole }, own, test, verify.probe);
    return { model: small, weights, factors: { weights: truncated, ...before } };
  } catch (error) {
    weights.dispose();
    throw error;
  } finally {
    product.dispose();
  }
}

/** Whether tensors are the same to the bit. */
function sameNumbers(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): boolean {
  return a.size === b.size && [...a].every(([name, own]) => {
    const other = b.get(name);
    return own.length === other?.length && own.every((value, place) => Object.is(value, other[place]));
  });
}
