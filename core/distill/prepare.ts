import type { Random } from "../data/random.ts";
import type { ParameterStore } from "../nn/parameter_store.ts";
import type { Chain } from "../mpo/chain.ts";
import type { Ops } from "../ops/ops.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { Tensor } from "../tensor.ts";
import { buildLosses } from "./build_losses.ts";
import { chainSpecs, decomposeWeight } from "./chains.ts";
import { loadData, type RunData } from "./load_data.ts";
import { buildModel, freeze, type FrozenWeights, readRecipeWeights } from "./models.ts";
import type { WeightedLoss } from "./objective.ts";
import { outputShapes } from "./probe.ts";
import type { Reporter } from "./progress.ts";
import type { Resolved, ResolvedPlugins } from "./resolve_plugins.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { freshWeights, Student } from "./student.ts";
import { chainMap } from "./teacher_chains.ts";

/** A teacher with its weights on the device and as plain numbers. */
export interface LoadedTeacher {
  readonly model: Model;
  readonly weights: FrozenWeights;
  readonly numbers: ReadonlyMap<string, Float32Array>;
}

/** Everything that a training runs on. */
export interface PreparedRun {
  readonly data: RunData;
  readonly teacher: LoadedTeacher | null;
  readonly student: Student;
  readonly losses: readonly WeightedLoss[];
  readonly lossParameters: ParameterStore;
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
  const data = await watch.time("load", () => loadData(recipe, plugins.dataset, random));
  const { input } = data.dataset;
  const teacher = plugins.teacher && await watch.time("load", () => loadTeacher(ops, recipe, plugins.teacher!, input));
  const model = buildModel(recipe, plugins.student, input);
  const specs = chainSpecs(recipe, model);
  const start = recipe.value.student.weights;
  const initial = start === null
    ? freshWeights(model, random.split("student"))
    : await readRecipeWeights(recipe, "student", start, model);

  const chains = new Map<string, Chain>();
  await watch.time("decompose", async () => {
    for (const { name, shape } of model.parameters) {
      const spec = specs.get(name);
      if (spec) chains.set(name, await decomposeWeight(ops.device, initial.get(name)!, shape, spec));
    }
  });
  const student = new Student(ops, model, chains, initial);
  const teacherCores: Tensor[] = [];
  const { losses, parameters } = await watch.time("decompose", () =>
    buildLosses(ops, recipe, plugins.losses, {
      ops,
      data: input,
      student: model,
      teacher: teacher?.model ?? null,
      chains: chainMap(ops, specs, model, teacher, teacherCores),
      shapes: {
        student: outputShapes(ops, model, () => student.weights(), data.test),
        teacher: teacher && outputShapes(ops, teacher.model, () => teacher.weights, data.test),
      },
      report: (line) => reporter.line(line),
    }, random.split("losses")));
  const dispose = () => [student, parameters, ...teacherCores, teacher?.weights].forEach((part) => part?.dispose());
  return { data, teacher, student, losses, lossParameters: parameters, dispose };
}

async function loadTeacher(
  ops: Ops,
  recipe: Checked<Recipe>,
  plugin: Resolved<"model">,
  input: InputDescription,
): Promise<LoadedTeacher> {
  const model = buildModel(recipe, plugin, input);
  const numbers = await readRecipeWeights(recipe, "teacher", recipe.value.teacher!.weights, model);
  return { model, numbers, weights: freeze(ops, model, numbers) };
}
