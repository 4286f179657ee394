import type { Random } from "../../data/random.ts";
import { UserError } from "../../errors.ts";
import { overExamples } from "../../evaluate/over_examples.ts";
import { weightsFrom } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples } from "../../plugin/dataset.ts";
import type { Section } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { someOutputs, type Teacher } from "../teacher/teacher_outputs.ts";
import type { WeightedLoss } from "./objective.ts";

/**
 * The inputs of the losses' preparation.
 *
 * @internal
 */
export interface PreparationSetup {
  readonly teacher: Teacher | null;
  /** The training examples. */
  readonly train: Examples;
  /** Examples that the teacher sees at once. */
  readonly batchSize: number;
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
  { teacher, train, batchSize, random }: PreparationSetup,
): Promise<void> {
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
        get teacherWeights() {
          if (teacher) expectFrozen(name, teacher);
          return teacher?.weights ?? weightsFrom(new Map());
        },
        state,
        random: random.split(name),
      }));
  }
}

/** What is taken of a teacher before training would be of another one soon, if it learns. */
function expectFrozen(loss: string, { learns }: Teacher): void {
  if (!learns) return;
  throw new UserError(
    `Cannot use the loss "${loss}" with a teacher that learns, as it looks at it once before training: leave out ` +
      "train.lgtm, or use another loss",
  );
}
