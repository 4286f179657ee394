import { firstIndices } from "../../data/loader.ts";
import type { Random } from "../../data/random.ts";
import type { Ops } from "../../ops/ops.ts";
import { upload } from "../../plugin/batch.ts";
import type { Examples } from "../../plugin/dataset.ts";
import type { ModelOutputs } from "../../plugin/model.ts";
import type { Section } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Scheduled } from "../../recipe/scheduled.ts";
import type { Tensor } from "../../tensor.ts";
import type { LossSet } from "../losses/loss_set.ts";
import type { Student } from "../student/student.ts";
import { type Teacher, teacherOutputs } from "../teacher/teacher_outputs.ts";
import { inPrecision } from "./precision.ts";

/** What is looked at before training. */
export interface RehearsalSetup {
  readonly ops: Ops;
  readonly student: Student;
  readonly teacher: Teacher | null;
  readonly losses: LossSet;
  readonly train: Examples;
  readonly recipe: Section<Recipe["train"]>;
  /** For what losses draw on the host. */
  readonly random: Random;
}

/** A batch of so many examples is nothing that any model or loss stumbles over because it is small. */
const ENOUGH = 8;

/**
 * Computes the losses once on the smallest batch that training will see, if that is small: statistics and relations
 * need more than one example, and the last batch of an epoch may be one. Nothing is changed by it.
 *
 * @throws UserError if a model or a loss cannot compute on so few examples, or gives what is not finite there alone
 */
export async function rehearse(setup: RehearsalSetup): Promise<void> {
  const { train: { length }, recipe } = setup;
  const { batchSize, dropLast } = recipe.value;
  const last = dropLast ? 0 : length % batchSize;
  const size = Math.min(last || batchSize, length);
  // Where examples lack labels, a loss may not know what to do about it, and says so when it looks at one.
  if (size >= ENOUGH && !setup.train.labelled) return;
  const refuse = (reason: string) => {
    if (last === 0 || length < batchSize) {
      return recipe.error(["batchSize"], `Cannot train on batches of ${size}: ${reason}; a larger batch is needed`);
    }
    return recipe.error(
      ["batchSize"],
      `Cannot train on the last batch of an epoch, ${size} of ${length} examples in batches of ${batchSize}: ${reason}; ` +
        "set train.dropLast to true, or another batchSize",
    );
  };
  let broken: string | null;
  try {
    broken = await nonFinite(setup, Math.min(size, ENOUGH));
  } catch (error) {
    if (error instanceof RangeError) throw refuse(error.message);
    throw error;
  }
  // What is broken on more examples, too, is so for another reason, which the first step will tell.
  const more = Math.min(ENOUGH, batchSize, length);
  if (broken !== null && more > size && await nonFinite(setup, more) === null) {
    throw refuse(`the loss "${broken}" is not a finite number there`);
  }
}

/** The name of the first loss that is not finite on the first examples, or `null`. */
async function nonFinite(setup: RehearsalSetup, size: number): Promise<string | null> {
  await setup.train.fetch?.(firstIndices(size));
  const terms = rehearsed(setup, firstIndices(size));
  const numbers = await setup.ops.read(terms);
  terms.forEach((term) => term.dispose());
  const place = numbers.findIndex(([value]) => !Number.isFinite(value));
  return place < 0 ? null : setup.losses.all[place].name;
}

/**
 * Every loss before its weight on some examples, of which nothing is learnt. The caller frees them.
 *
 * @param indices fetched before
 * @param see what the losses see in place of the student's outputs
 */
export function rehearsed(
  { ops, student, teacher, losses, train, recipe, random }: RehearsalSetup,
  indices: Uint32Array,
  see: (outputs: ModelOutputs) => ModelOutputs = (outputs) => outputs,
): Tensor[] {
  const host = { ...train.batch(indices), ...losses.inputs(indices, random) };
  const { precision } = recipe.value;
  const randomSeed = () => 0;
  const trained = [...student.plain.tensors.values(), ...student.cores.tensors.values()];
  return ops.scope(() => {
    let terms: Tensor[] = [];
    // As in a step, where a loss may take gradients. Nothing of its own follows from the number that is differentiated.
    ops.differentiate(() => {
      const batch = upload(ops, host);
      const weights = student.rehearsalWeights();
      const taught = teacher && inPrecision(ops, precision, teacher.model, batch, (batch) => {
        return teacherOutputs(ops, teacher, losses.wanted, batch, randomSeed);
      });
      const outputs = inPrecision(ops, precision, student.model, batch, (batch) => {
        return student.model.forward({ ops, weights, batch, training: true, randomSeed });
      });
      terms = losses.rehearse({ student: see(outputs), teacher: taught, batch, weights, at: largest });
      return ops.scalar(0);
    }, trained);
    return terms;
  });
}

/** So that a loss whose weight begins or ends at 0 is computed, too. */
const largest = (value: Scheduled) => typeof value === "number" ? value : Math.max(value.from, value.to);
