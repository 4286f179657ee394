import type { Backend } from "../../core/backend/backend.ts";
import { Random } from "../../core/data/random.ts";
import { describeLabelNoise } from "../../core/distill/label_noise.ts";
import { describeSkipped } from "../../core/distill/load_data.ts";
import { loadTaughtData } from "../../core/distill/load_taught_data.ts";
import { type Resolved, resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import { startingTokenizer } from "../../core/distill/student/starting_inputs.ts";
import { loadTeacher } from "../../core/distill/teacher/load_teacher.ts";
import { isUrl } from "../../core/data/remote_file.ts";
import { UserError } from "../../core/errors.ts";
import { kindOfPath } from "../../core/files.ts";
import { findOnnx } from "../../core/onnx/places.ts";
import { join, relative } from "../../core/paths.ts";
import { resolveFile } from "../../core/recipe/recipe.ts";
import { evaluate } from "../../core/evaluate/evaluate.ts";
import { positiveClassOf } from "../../core/evaluate/metrics/metrics.ts";
import { createOps } from "../../core/ops/ops.ts";
import { Owned } from "../../core/owned.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { listWords } from "../../core/recipe/words.ts";
import type { ModelReport } from "./class_table.ts";
import { reportOf, splitOf } from "./model_report.ts";

/** How a teacher is measured. */
export interface TeacherCall {
  readonly backend: Backend;
  readonly builtins: Builtins;
  /** The run's: train, validation or test. */
  readonly split: string;
  /** Takes lines for the user. */
  readonly tell: (line: string) => void;
}

/**
 * Measures the teacher of a recipe, of whatever kind, or several together, as a run does: with its own tokenizer, sizes
 * and normalisation, and the classes in its order.
 *
 * @throws UserError if the recipe has none, or one that does not fit its data
 */
export async function evaluateTeacher(
  recipe: Checked<Recipe>,
  { backend, builtins, split, tell }: TeacherCall,
): Promise<ModelReport> {
  const { teacher: named, seed, evaluate: settings } = recipe.value;
  if (!named) throw new UserError(`Cannot measure the teacher of "${recipe.file}" as it names none`);
  const plugins = await resolvePlugins(recipe, builtins);
  const ops = createOps(backend);
  using owned = new Owned();
  const told = { report: tell, warning: (line: string) => tell(`Warning: ${line}`) };
  const tokenizer = await startingTokenizer(recipe);
  const { data, own, recorded } = await loadTaughtData(ops, recipe, plugins, new Random(seed), tokenizer, told, owned);
  for (const line of describeSkipped(data.dataset)) tell(line);
  const { input } = data.dataset;
  const noise = describeLabelNoise(recipe.value, data.train, input);
  if (noise) tell(noise);
  recipe.within(["evaluate", "positiveClass"], () => positiveClassOf(input, settings.positiveClass));
  const teacher = recorded ?? (await loadTeacher(ops, recipe, plugins, input, own, tell))!;
  try {
    // What a teacher takes is made of the run's own splits.
    const { train, test } = data;
    const examples = splitOf({ ...data, dataset: { ...data.dataset, splits: { train, test } } }, split);
    if (teacher.knows?.(examples) === false) {
      throw new UserError(
        `--split ${split}: Cannot measure a file of outputs there as it has none of these examples: expected ` +
          "teacher.file: { train: FILE, test: FILE }, or --split train",
      );
    }
    const { model, weights } = teacher;
    const result = await evaluate(ops, { who: "the teacher", model, weights, examples, input, ...settings });
    const uses = [plugins.teacher!, ...plugins.otherTeachers].map(({ definition }) => definition.name);
    const others = named.others.map(({ weights }, index) =>
      measuredFile(recipe, plugins.otherTeachers[index], weights)
    );
    const first = measuredFile(recipe, plugins.teacher!, named.weights ?? fileOf(plugins.teacher!));
    const places = await Promise.all([first, ...others]);
    return reportOf(result, {
      model: places.filter((place) => place !== null).join(", "),
      architecture: listWords(uses, "and"),
      ...{ recipe: recipe.file, split, backend },
    });
  } finally {
    teacher.dispose();
  }
}

/** The weights as they are named; of a folder of ONNX models, such as one of several precisions, the file in it. */
async function measuredFile(
  recipe: Checked<Recipe>,
  { definition }: Resolved<"model">,
  weights: string | null,
): Promise<string | null> {
  if (weights === null || definition.name !== "onnx" || isUrl(weights)) return weights;
  const path = resolveFile(recipe, weights);
  const found = await kindOfPath(path) === "folder" ? await findOnnx(path) : null;
  return found === null ? weights : join(weights, relative(path, found));
}

/** The file of recorded outputs, for people. */
function fileOf({ options }: Resolved<"model">): string | null {
  const { file } = (options ?? {}) as { readonly file?: unknown };
  return typeof file === "string" ? file : null;
}
