import type { Examples } from "../plugin/dataset.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Path } from "../recipe/paths.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { RunData } from "./load_data.ts";
import type { LossSet } from "./losses/loss_set.ts";
import { freed, type Opening } from "./open_stages.ts";
import type { Student } from "./student/student.ts";
import type { LoadedTeacher } from "./teacher/load_teacher.ts";
import type { AlignedChains } from "./teacher/teacher_chains.ts";
import { LearningTeacher } from "./training/learning_teacher.ts";
import { Lgtm } from "./training/lgtm.ts";

/** A training in which the teacher learns, and the teacher as everybody is to use it from then on. */
export interface OpenedLgtm {
  readonly strategy: Lgtm;
  readonly teacher: LoadedTeacher;
}

/** What a run in which the teacher learns is made of. */
export interface LgtmParts {
  readonly data: RunData;
  readonly heldOut: Examples;
  readonly teacher: LoadedTeacher | null;
  readonly student: Student;
  readonly losses: LossSet;
  readonly aligned: AlignedChains;
}

/** Refuses what a recipe combines with `train.lgtm` that does not go with it. @throws UserError with line and column */
export function expectLgtm(recipe: Checked<Recipe>): void {
  const { augment, labelNoise, teacher, train: { lgtm, theseus, accumulate, precision } } = recipe.value;
  if (!lgtm) return;
  const at: Path = ["train", "lgtm"];
  const refuse = (path: Path, reason: string) => recipe.error(path, `Cannot let the teacher learn ${reason}`);
  if (!teacher) throw refuse(at, "as there is none");
  if (teacher.cache !== null) throw refuse(["teacher", "cache"], "and keep its outputs: set teacher.cache to null");
  if (teacher.others.length > 0) throw refuse(["teacher", "others"], "where it is several: name one");
  if (theseus) {
    throw refuse(at, "and put its frozen layers in the student's place: leave out train.theseus or train.lgtm");
  }
  if (accumulate > 1) {
    throw refuse(["train", "accumulate"], `by steps of ${accumulate} batches: set train.accumulate to 1`);
  }
  if (precision !== "f32") throw refuse(["train", "precision"], `in ${precision}: set train.precision to f32`);
  if (labelNoise) {
    throw refuse(
      ["labelNoise"],
      "from labels of which some are wrong on purpose, as it would be held out by them, too",
    );
  }
  if (augment.mixup > 0 || augment.cutmix > 0) {
    throw refuse(["augment"], "by mixed images, which have two labels: set augment.mixup and augment.cutmix to 0");
  }
}

/**
 * The strategy of `train.lgtm`, and the teacher with weights that it changes; the frozen ones are given back.
 *
 * @throws UserError at `train.lgtm` if the teacher cannot learn, nobody learns from it, or the task has no classes
 */
export function openLgtm(
  { ops, recipe, random, report, owned }: Opening,
  { data, heldOut, teacher, student, losses, aligned }: LgtmParts,
): OpenedLgtm {
  const at: Path = ["train", "lgtm"];
  const { input: { task } } = data.dataset;
  const { train } = recipe.value;
  if (task === "regression" || task === "embedding") {
    throw recipe.error(at, `Cannot let the teacher learn for ${task}: what it learns by are probabilities of classes`);
  }
  if (!teacher || teacher.model.gives || !teacher.model.parameters.some(({ trainable }) => trainable)) {
    const what = teacher?.model.gives ? "a file of outputs" : "a model whose weights another library holds";
    throw recipe.error(at, `Cannot let the teacher learn as it is ${what}: name a model of this program's`);
  }
  const taught = losses.all.some(({ loss }) => loss.teacherOutputs.length > 0 || loss.prepare);
  if (!taught && aligned.chains.size === 0) {
    throw recipe.error(at, "Cannot let the teacher learn as no loss compares the student with it: add one, such as kd");
  }
  const learning = recipe.within(["teacher"], () => {
    const learning = new LearningTeacher(ops, teacher.first, aligned.chains, train);
    return owned.adopt(learning, freed);
  });
  const options = train.lgtm!;
  const seed = random.split("held-out batches").uint32();
  const strategy = new Lgtm({ ops, student, teacher: learning, losses, train, options, task, heldOut, seed });
  owned.adopt(strategy, freed);
  teacher.dispose();
  report(
    `the teacher learns from ${data.train.length} examples, by what helps the student on ${heldOut.length} others that ` +
      "are held out of training",
  );
  if (aligned.chains.size > 0) {
    report(`${aligned.chains.size} of its matrices learn as chains, which the student's are compared with`);
  }
  return { strategy, teacher: { ...teacher, weights: learning.weights, learns: true } };
}
