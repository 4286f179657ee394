import type { Random } from "../../data/random.ts";
import { UserError } from "../../errors.ts";
import { weightsFrom } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples } from "../../plugin/dataset.ts";
import type { WeightedLoss } from "./objective.ts";
import { overExamples } from "../../evaluate/over_examples.ts";
import { someOutputs, type Teacher, wantedOutputs } from "../teacher/teacher_outputs.ts";

/** What losses are prepared with. */
export interface PreparationSetup {
  readonly losses: readonly WeightedLoss[];
  readonly teacher: Teacher | null;
  /** The training examples. */
  readonly train: Examples;
  /** Examples that the teacher sees at once. */
  readonly batchSize: number;
  readonly random: Random;
  /** A mistake of the user's that a loss found, told with its place in the recipe. */
  readonly refuse: (loss: number, sentence: string) => UserError;
}

/** Lets every loss that has a use for it look at the training data, one after another. @throws UserError */
export async function prepareLosses(ops: Ops, setup: PreparationSetup): Promise<void> {
  const { losses, teacher, train, batchSize, random, refuse } = setup;
  const seeds = random.split("teacher");
  for (const [index, { name, loss, state }] of losses.entries()) {
    try {
      await loss.prepare?.({
        ops,
        labels: train.labels,
        async overTrainingSet(choose) {
          if (!teacher) throw new UserError("Cannot look at a teacher's outputs: there is no teacher");
          const wanted = wantedOutputs([{ loss }]);
          const numbers = await overExamples(ops, train, batchSize, (batch) => {
            const outputs = someOutputs(ops, teacher, wanted, batch, () => seeds.uint32());
            return new Map([["outputs", choose(outputs)]]);
          });
          return numbers.get("outputs")!.data;
        },
        teacherWeights: teacher?.weights ?? weightsFrom(new Map()),
        state,
        random: random.split(name),
      });
    } catch (error) {
      throw error instanceof UserError ? refuse(index, error.message) : error;
    }
  }
}
