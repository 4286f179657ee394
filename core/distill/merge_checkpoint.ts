import type { Backend } from "../backend/backend.ts";
import { Random } from "../data/random.ts";
import { UserError } from "../errors.ts";
import { namedParts } from "../nn/tensor_store.ts";
import { createOps, type Ops } from "../ops/ops.ts";
import type { OverParameterised, WeightProvider } from "../overparameterise/weight_provider.ts";
import { weightProviders } from "../overparameterise/weight_providers.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import { widthsOf } from "../plugin/inner_widths.ts";
import type { Model } from "../plugin/model.ts";
import { countTrained } from "../plugin/parameters.ts";
import type { Builtins } from "../plugin/registry.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import { toFloat32 } from "../safetensors.ts";
import { sizeOf } from "../tensor.ts";
import { checkData, type Checkpoint, checkRecipe, readCheckpoint } from "./training/checkpoint.ts";
import { closeData } from "./close_data.ts";
import { loadData } from "./load_data.ts";
import { factorPlan } from "./student/factors/factor_plan.ts";
import { truncateWeights } from "./student/factors/truncate_weights.ts";
import { mergedWeights } from "./student/merged_weights.ts";
import { replaceModelFolder } from "../model_folder/replace_folder.ts";
import { writeModelFolder } from "../model_folder/write_folder.ts";
import { buildModel } from "./recipe_models.ts";
import { type Reporter, silent } from "./progress.ts";
import { narrowModel } from "./student/pruning/cut_channels.ts";
import { withoutMasked } from "./student/pruning/without_masked.ts";
import { maskPlan, prunedBy } from "./student/pruning/mask_plan.ts";
import { rateScales } from "./student/rate_scales.ts";
import { type ResolvedPlugins, resolvePlugins } from "./resolve_plugins.ts";
import { startingTokenizer } from "./student/starting_inputs.ts";
import { type Pruned, Student } from "./student/student.ts";
import { inTeachersOrder } from "./teacher/teacher_classes.ts";

/** How a checkpoint is merged. */
export interface MergeOptions {
  /** The backend to compute on; it stays open. */
  readonly backend: Backend;
  /** The plug-ins that a recipe can name without a file. */
  readonly builtins: Builtins;
  /** Receives warnings; left out, nobody does. */
  readonly reporter?: Pick<Reporter, "warning">;
}

/** The student that was merged from a checkpoint. */
export interface MergedCheckpoint {
  /** Steps that were done. */
  readonly step: number;
  /** The epoch, from 1, whose weights these are, where the recipe restores the best; else those of the last step. */
  readonly bestEpoch: number | null;
  /** Numbers of the merged student. */
  readonly parameters: number;
}

/**
 * Makes a plain student of a run's checkpoint: over-parameterised weights merged, as at the end of a run. A recipe that
 * restores the best epoch gives that epoch's weights.
 *
 * @param recipe the run's own
 * @param file the checkpoint
 * @param folder where the model folder is written
 * @throws UserError if the checkpoint cannot be read or is another recipe's or of other data
 */
export async function mergeCheckpoint(
  recipe: Checked<Recipe>,
  file: string,
  folder: string,
  { backend, builtins, reporter = silent }: MergeOptions,
): Promise<MergedCheckpoint> {
  const checkpoint = await readCheckpoint(file);
  const plugins = await resolvePlugins(recipe, builtins);
  checkRecipe(checkpoint, recipe.value, "merge");
  const input = await inputOf(recipe, plugins, checkpoint, (line) => reporter.warning(line));
  const { widths } = checkpoint;
  const model = widths
    ? narrowModel(
      recipe,
      plugins.student,
      input,
      new Map(Object.entries(widths).map(([name, [, size]]) => [name, size])),
    )
    : buildModel(recipe, plugins.student, input);
  const providers = weightProviders(recipe.part("student").part("overParameterise"), model);
  const masks = maskPlan(recipe.part("student").part("prune"), model);
  const ops = createOps(backend);
  const { device } = ops;
  const student = emptyStudent(
    ops,
    model,
    providers,
    rateScales(recipe.part("train").part("layerRates"), model, providers),
    prunedBy(masks),
  );
  const bestEpoch = recipe.value.train.restoreBest && checkpoint.best ? checkpoint.best.epoch : null;
  for (const [name, store] of Object.entries(student.stores())) {
    for (const [part, flat] of namedParts(bestEpoch === null ? name : `best.${name}`, store)) {
      const stored = checkpoint.tensors.get(part);
      if (stored?.shape.join() !== flat.shape.join()) {
        throw new UserError(`Cannot merge "${file}" as its ${name} parameters are not those of "${recipe.file}"`);
      }
      backend.write(flat.view, toFloat32(stored));
    }
  }
  const { name: architecture } = plugins.student.definition;
  const whole = { model, numbers: await mergedWeights(student) };
  const merged = masks?.channels
    ? withoutMasked(
      model,
      whole.numbers,
      await student.masks.read(),
      (kept) => narrowModel(recipe, plugins.student, input, widthsOf(kept)),
    )
    : whole;
  student.dispose();
  const plan = factorPlan(recipe.part("export"), merged.model, providers);
  const exported = plan ? await truncateWeights(device, merged.model, merged.numbers, plan) : merged;
  await replaceModelFolder(
    folder,
    (to) => writeModelFolder(to, architecture, exported.model, input, exported.numbers, checkpoint.run),
  );
  const parameters = countTrained(exported.model);
  return { step: checkpoint.step, bestEpoch, parameters };
}

/** What the run's student took: its tokenizer and the order of its classes may have been those of other models. */
async function inputOf(
  recipe: Checked<Recipe>,
  plugins: ResolvedPlugins,
  checkpoint: Checkpoint,
  warn: (line: string) => void,
): Promise<InputDescription> {
  const tokenizer = await startingTokenizer(recipe);
  const loaded = await loadData(recipe, plugins.dataset, new Random(recipe.value.seed), tokenizer);
  try {
    checkData(checkpoint, loaded.sha256);
    return (await inTeachersOrder(recipe, plugins, loaded, () => {})).dataset.input;
  } finally {
    await closeData(loaded.dataset, warn);
  }
}

/** A student of the right layout whose numbers are all still to come. */
function emptyStudent(
  ops: Ops,
  model: Model,
  providers: ReadonlyMap<string, WeightProvider>,
  rates: ReadonlyMap<string, number>,
  pruned: Pruned,
): Student {
  const overParameterised = new Map([...providers].map(([name, provider]): [string, OverParameterised] => {
    return [name, { provider, start: provider.shapes.map((shape) => new Float64Array(sizeOf(shape))) }];
  }));
  const zeros = model.parameters.map(({ name, shape }): [string, Float32Array] => [
    name,
    new Float32Array(sizeOf(shape)),
  ]);
  return new Student(ops, model, overParameterised, new Map(zeros), rates, pruned);
}
