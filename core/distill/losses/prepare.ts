import type { Random } from "../../data/random.ts";
import { UserError } from "../../errors.ts";
import { firstIndices } from "../../data/loader.ts";
import { batchesOf } from "../../evaluate/batches.ts";
import { overBatches, overExamples } from "../../evaluate/over_examples.ts";
import { weightsFrom } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import { batchFor } from "../../plugin/batch.ts";
import type { Examples } from "../../plugin/dataset.ts";
import type { PrepareCall, TaughtNumbers } from "../../plugin/loss.ts";
import type { Section } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { mapBatches } from "../map_examples.ts";
import { withoutOwnInputs } from "../teacher/own_inputs.ts";
import { someOutputs, type Teacher } from "../teacher/teacher_outputs.ts";
import type { WeightedLoss } from "./objective.ts";

/**
 * The inputs of the losses' preparation.
 *
 * @internal
 */
export interface PreparationSetup {
  readonly teacher: Teacher | null;
  /** The training examples, whose batches bring what was computed of the teacher already. */
  readonly train: Examples;
  /** The same without that. */
  readonly untaught: Examples;
  /** Examples that the teacher sees at once. */
  readonly batchSize: number;
  /** Examples that a loss computes at once, which may keep all on the way: those of a step. */
  readonly stepSize: number;
  readonly random: Random;
}

/**
 * Lets every loss that has a use for it look at the training data, one after another.
 *
 * @throws UserError with the place in the recipe of the loss that found a mistake
 */
export async function prepareLosses(
  ops: Ops,
  losses: readonly WeightedLoss[],
  recipe: Section<Recipe["losses"]>,
  setup: PreparationSetup,
): Promise<void> {
  const { teacher, train, batchSize, random } = setup;
  const seeds = random.split("teacher");
  for (const [index, { name, loss, state }] of losses.entries()) {
    await recipe.within([index], async () =>
      await loss.prepare?.({
        ops,
        labels: train.labels,
        async overTrainingSet(choose) {
          if (!teacher) throw new UserError("Cannot look at a teacher's outputs: there is no teacher");
          expectFrozen(name, teacher);
          const numbers = await overExamples(ops, train, batchSize, (batch) => {
            const outputs = someOutputs(ops, teacher, new Set(loss.teacherOutputs), batch, () => seeds.uint32());
            return new Map([["outputs", choose(outputs)]]);
          });
          return numbers.get("outputs")!.data;
        },
        overTrainingBatches: (compute, change) => {
          if (!loss.runsTeacher) {
            throw new UserError(
              `Cannot run the teacher for the loss "${name}" as it does not say runsTeacher: true beside teacherOutputs`,
            );
          }
          if (teacher) expectFrozen(name, teacher);
          return overTrainingBatches(ops, setup, compute, change);
        },
        get teacherWeights() {
          if (teacher) expectFrozen(name, teacher);
          return teacher?.weights ?? weightsFrom(new Map());
        },
        state,
        random: random.split(name),
      }));
  }
}

const noSeed = () => {
  throw new Error("A teacher asked for a random number in evaluation");
};

/** {@link PrepareCall.overTrainingBatches} */
async function* overTrainingBatches(
  ops: Ops,
  { teacher, untaught, stepSize }: PreparationSetup,
  compute: Parameters<PrepareCall["overTrainingBatches"]>[0],
  change: Parameters<PrepareCall["overTrainingBatches"]>[1],
): AsyncGenerator<TaughtNumbers> {
  if (!teacher) throw new UserError("Cannot run a teacher over the training examples: there is no teacher");
  const { model, weights } = teacher;
  const examples = mapBatches(untaught, (batch, indices) => {
    if (change && Object.keys(withoutOwnInputs(batch)).length < Object.keys(batch).length) {
      throw new UserError(
        "Cannot show a teacher changed inputs that takes others than the student: it would see them unchanged",
      );
    }
    return batchFor(model, change ? change(batch, indices) : batch);
  });
  const batches = batchesOf(firstIndices(examples.length), stepSize);
  const computed = overBatches(ops, examples, batches, (batch) => {
    return new Map([["numbers", compute({ ops, weights, batch, training: false, randomSeed: noSeed })]]);
  });
  for await (const { indices, numbers } of computed) yield { indices, ...numbers.get("numbers")! };
}

/** What is taken of a teacher before training would be of another one soon, if it learns. */
function expectFrozen(loss: string, { learns }: Teacher): void {
  if (!learns) return;
  throw new UserError(
    `Cannot use the loss "${loss}" with a teacher that learns, as it looks at it once before training: leave out ` +
      "train.lgtm, or use another loss",
  );
}
