import type { Random } from "../data/random.ts";
import type { ParameterStore } from "../nn/parameter_store.ts";
import type { Chain } from "../mpo/chain.ts";
import { UserError } from "../errors.ts";
import type { Ops } from "../ops/ops.ts";
import type { Examples } from "../plugin/dataset.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { Tensor } from "../tensor.ts";
import { buildLosses } from "./losses/build.ts";
import { chainSpecs, decomposeWeight } from "./student/chain_specs.ts";
import { initialWeights } from "./student/initial_weights.ts";
import { loadData, type RunData } from "./load_data.ts";
import { type LoadedTeacher, loadTeacher } from "./teacher/load_teacher.ts";
import { buildModel } from "./recipe_models.ts";
import type { WeightedLoss } from "./losses/objective.ts";
import { prepareLosses } from "./losses/prepare.ts";
import { outputShapes } from "../evaluate/output_shapes.ts";
import type { Reporter } from "./progress.ts";
import { rateScales } from "./student/rate_scales.ts";
import type { ResolvedPlugins } from "./resolve_plugins.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { Student } from "./student/student.ts";
import { chainMap } from "./teacher/teacher_chains.ts";
import { Theseus } from "./training/theseus.ts";
import { useTeacherCache } from "./teacher/use_cache.ts";

/** Everything that a training runs on. */
export interface PreparedRun {
  readonly data: RunData;
  readonly teacher: LoadedTeacher | null;
  readonly student: Student;
  readonly losses: readonly WeightedLoss[];
  readonly lossParameters: ParameterStore;
  /** What the losses keep from step to step, by name. */
  readonly lossState: ReadonlyMap<string, Tensor>;
  /** If layers are replaced in training. */
  readonly theseus: Theseus | null;
  dispose(): void;
}

/**
 * Loads data and teacher, builds the student, over-parameterises it and creates the losses.
 *
 * @throws UserError for a mistake in the recipe or in a file that it names
 */
export async function prepareRun(
  ops: Ops,
  recipe: Checked<Recipe>,
  plugins: ResolvedPlugins,
  random: Random,
  watch: Stopwatch,
  reporter: Reporter,
): Promise<PreparedRun> {
  const report = (line: string) => reporter.line(line);
  const loaded = await watch.time("load", () => loadData(recipe, plugins.dataset, random));
  const { input } = loaded.dataset;
  const taught = await watch.time("load", () => loadTeacher(ops, recipe, plugins, input, report));
  const model = buildModel(recipe, plugins.student, input);
  const specs = chainSpecs(recipe, model);
  const initial = await initialWeights(recipe, model, taught?.first ?? null, random.split("student"), report);

  const chains = new Map<string, Chain>();
  await watch.time("decompose", async () => {
    for (const { name, shape } of model.parameters) {
      const spec = specs.get(name);
      if (spec) chains.set(name, await decomposeWeight(ops.device, initial.get(name)!, shape, spec));
    }
  });
  const student = new Student(ops, model, chains, initial, rateScales(recipe, model, specs));
  const teacherCores: Tensor[] = [];
  const { losses, parameters, state } = await watch.time("decompose", () =>
    buildLosses(ops, recipe, plugins.losses, {
      ops,
      data: input,
      student: model,
      teacher: taught?.model ?? null,
      trainingExamples: loaded.train.length,
      chains: chainMap(ops, specs, model, taught?.first ?? null, teacherCores),
      shapes: {
        student: outputShapes(ops, model, () => student.weights(), loaded.test),
        teacher: taught && outputShapes(ops, taught.model, () => taught.weights, loaded.test),
      },
      report,
    }, random.split("losses")));
  const owned = [student, parameters, ...state.values(), ...teacherCores, taught];
  const dispose = () => owned.forEach((part) => part?.dispose());
  try {
    const theseus = theseusOf(ops, recipe, student, taught, loaded.test);
    if (theseus) report(theseus.describe());
    const { data, teacher } = await watch.time("load", () => {
      return useTeacherCache(ops, recipe, { data: loaded, teacher: taught }, losses, report);
    });
    if (losses.some(({ loss }) => loss.prepare)) {
      await watch.time("prepare", () =>
        prepareLosses(ops, {
          losses,
          teacher,
          train: data.train,
          batchSize: recipe.value.evaluate.batchSize,
          random: random.split("prepare"),
          refuse: (loss, sentence) => recipe.error(["losses", loss], sentence),
        }));
    }
    return { data, teacher, student, losses, lossParameters: parameters, lossState: state, theseus, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** What `train.theseus` asks for. @throws UserError with line and column if the layers do not fit */
function theseusOf(
  ops: Ops,
  recipe: Checked<Recipe>,
  student: Student,
  teacher: LoadedTeacher | null,
  examples: Examples,
): Theseus | null {
  const options = recipe.value.train.theseus;
  if (!options) return null;
  try {
    const theseus = new Theseus(student.model, teacher, options);
    theseus.check(ops, () => student.weights(), examples);
    return theseus;
  } catch (error) {
    throw error instanceof UserError ? recipe.error(["train", "theseus"], error.message) : error;
  }
}
