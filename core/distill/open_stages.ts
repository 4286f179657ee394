import { type Owned } from "../owned.ts";
import { Random } from "../data/random.ts";
import { outputShapes } from "../evaluate/output_shapes.ts";
import type { Ops } from "../ops/ops.ts";
import type { OverParameterised, WeightProvider } from "../overparameterise/weight_provider.ts";
import { weightProviders } from "../overparameterise/weight_providers.ts";
import { type KeptChannels, widthsOf } from "../plugin/inner_widths.ts";
import { labelledOf } from "../plugin/labelled.ts";
import type { LossSetup } from "../plugin/loss.ts";
import type { Model } from "../plugin/model.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { RunData } from "./load_data.ts";
import { LossSet } from "./losses/loss_set.ts";
import type { Reporter } from "./progress.ts";
import { buildModel } from "./recipe_models.ts";
import type { ResolvedPlugins } from "./resolve_plugins.ts";
import { Stopwatch } from "./stopwatch.ts";
import { expectFactorable, type FactorPlan, factorPlan } from "./student/factors/factor_plan.ts";
import { initialWeights } from "./student/initial_weights.ts";
import { tooLarge, trainingMemory } from "./student/memory_check.ts";
import { cutChannels, type CutWidths, narrowModel } from "./student/pruning/cut_channels.ts";
import { isCutBefore, type MaskPlan, maskPlan, prunedBy } from "./student/pruning/mask_plan.ts";
import { describeFrozen, rateScales } from "./student/rate_scales.ts";
import { Student } from "./student/student.ts";
import type { LoadedTeacher } from "./teacher/load_teacher.ts";
import { lookAtTeacher } from "./teacher/poor_teacher.ts";
import { AlignedChains, chainsForLosses } from "./teacher/teacher_chains.ts";
import { topLogitsOf } from "./teacher/top_logits.ts";
import { Theseus } from "./training/theseus.ts";

/** The parts that the stages of opening share. */
export interface Opening {
  readonly ops: Ops;
  /** All defaults filled in. */
  readonly recipe: Checked<Recipe>;
  readonly watch: Stopwatch;
  readonly plugins: ResolvedPlugins;
  readonly random: Random;
  /** Takes lines for the user. */
  readonly report: (line: string) => void;
  /** Lets signals through. @throws StoppedEarly if the run is to stop */
  readonly breath: () => Promise<void>;
  /** Everything that was made so far, to be freed if a later stage fails. */
  readonly owned: Owned;
}

/** A student that was built, and what it was built by. */
export interface OpenedStudent {
  readonly student: Student;
  /** How its over-parameterised weights are held. */
  readonly providers: ReadonlyMap<string, WeightProvider>;
  /** How its weights are masked; `null`: none is. */
  readonly masks: MaskPlan | null;
  /** Its inner widths, of which channels were taken away; `null` where none was. */
  readonly widths: CutWidths | null;
  /** Builds it without the channels that its masks take away; `null`: they take away none. */
  readonly narrow: ((kept: KeptChannels) => Model) | null;
  /** Which of its weights are exported as factors; `null`: none. */
  readonly factors: FactorPlan | null;
  readonly startsFrom: ReadonlyMap<string, string>;
}

/** Builds the student and decomposes, or splits otherwise, the weights that the recipe over-parameterises. */
export async function openStudent(
  { ops, recipe, plugins, random, watch, report, owned, breath }: Opening,
  { dataset: { input }, test }: RunData,
  teacher: LoadedTeacher | null,
): Promise<OpenedStudent> {
  const begin = (model: Model) =>
    initialWeights(recipe, model, teacher?.first ?? null, random.split("student"), report);
  const whole = buildModel(recipe, plugins.student, input);
  const { prune } = recipe.value.student;
  const start = prune?.structure === "channels" ? await begin(whole) : null;
  const isCut = prune !== null && isCutBefore(prune);
  // Of channels that go step by step it is tried before whether the model can do without some.
  const narrower = start && await cutChannels({
    ops,
    recipe,
    plugin: plugins.student,
    input,
    model: whole,
    start,
    random: random.split("prune"),
    examples: test,
    report: isCut ? report : () => {},
  });
  const cut = isCut ? narrower : null;
  const model = cut?.model ?? whole;
  const masks = maskPlan(recipe.part("student").part("prune"), model);
  const providers = weightProviders(recipe.part("student").part("overParameterise"), model);
  const factors = factorPlan(recipe.part("export"), model, providers);
  if (factors) await expectFactorable(recipe.part("export"), ops, factors, { model, input, examples: test });
  const rates = rateScales(recipe.part("train").part("layerRates"), model, providers);
  const narrow = masks?.channels
    ? (kept: KeptChannels) => narrowModel(recipe, plugins.student, input, widthsOf(kept))
    : null;
  const pruned = prunedBy(masks);
  const learning = recipe.value.train.lgtm ? teacher?.model ?? null : null;
  const memory = trainingMemory(model, providers, rates, recipe.value.train.optimiser, { pruned, learning });
  const refusal = tooLarge(memory, ops.backend);
  if (refusal) throw recipe.error(["student"], refusal);
  const { numbers, startsFrom } = cut ?? start ?? await begin(model);
  const frozen = describeFrozen(model, rates);
  if (frozen) report(frozen);
  const overParameterised = new Map<string, OverParameterised>();
  const drawn = random.split("over-parameterise");
  await watch.time("decompose", async () => {
    for (const { name } of model.parameters) {
      const provider = providers.get(name);
      await breath();
      if (!provider) continue;
      const place = { device: ops.device, random: drawn.split(name) };
      overParameterised.set(name, { provider, start: await provider.start(numbers.get(name)!, place) });
    }
  });
  const student = new Student(ops, model, overParameterised, numbers, rates, pruned);
  return {
    student: owned.adopt(student, freed),
    providers,
    masks,
    widths: cut?.widths ?? null,
    narrow,
    factors,
    startsFrom,
  };
}

/**
 * Creates the losses, by what the models give for one example; what they ask of the teacher's chains is decomposed on
 * the way.
 */
export async function openLosses(
  { ops, recipe, plugins, random, watch, report, owned }: Opening,
  { dataset: { input }, train, test }: RunData,
  teacher: LoadedTeacher | null,
  { student, providers, startsFrom }: OpenedStudent,
  sameTokens: boolean,
): Promise<{ readonly losses: LossSet; readonly shapes: LossSetup["shapes"]; readonly aligned: AlignedChains | null }> {
  const { model } = student;
  const aligned = recipe.value.train.lgtm ? new AlignedChains() : null;
  // A file of outputs need not have those of the test examples.
  const known = teacher?.knows ? train : test;
  for (const examples of new Set([test, known])) await examples.fetch?.(Uint32Array.of(0));
  const shapes = {
    student: outputShapes(ops, model, () => student.weights(), test),
    teacher: teacher && outputShapes(ops, teacher.model, () => teacher.weights, known),
  };
  return await watch.time("decompose", async () => {
    const losses = await LossSet.build(recipe.part("losses"), plugins.losses, {
      ops,
      data: input,
      student: model,
      teacher: teacher?.model ?? null,
      trainingExamples: train.length,
      labelledExamples: labelledOf(train),
      chains: chainsForLosses(
        ops,
        providers,
        model,
        teacher?.first ?? null,
        (core) => owned.adopt(core, freed),
        aligned,
      ),
      startsFrom,
      sameTokens,
      shapes,
      topLogits: topLogitsOf(recipe, input),
      report,
    }, random.split("losses"));
    return { losses: owned.adopt(losses, freed), shapes, aligned };
  });
}

/**
 * Measures the teacher as `teacher.onPoorTeacher` says. @throws UserError with line and column if it is to be refused
 */
export async function lookBefore(
  { ops, recipe, watch }: Opening,
  { dataset: { input }, train, validation }: RunData,
  teacher: LoadedTeacher | null,
  reporter: Reporter,
): Promise<void> {
  const { teacher: settings, evaluate: { batchSize } } = recipe.value;
  if (!teacher || !settings || settings.onPoorTeacher === "ignore") return;
  const watched = validation && teacher.knows?.(validation) !== false ? validation : null;
  // By labels that are wrong on purpose any teacher is poor.
  if (!watched && recipe.value.labelNoise) return;
  const [examples, split] = watched ? [watched, "validation"] : [train, "training"];
  const poor = await watch.time("evaluate", () => lookAtTeacher(ops, { teacher, examples, split, input, batchSize }));
  if (poor === null) return;
  if (settings.onPoorTeacher === "refuse") throw recipe.error(["teacher"], `Cannot learn from it: ${poor}`);
  reporter.warning(`${poor}; teacher.onPoorTeacher: ignore keeps this to itself`);
}

/** The layer replacement of `train.theseus`. @throws UserError with line and column if the layers do not fit */
export async function openTheseus(
  { ops, recipe, report }: Opening,
  { test }: RunData,
  teacher: LoadedTeacher | null,
  student: Student,
  sameTokens: boolean,
): Promise<Theseus | null> {
  const options = recipe.value.train.theseus;
  if (!options) return null;
  if (!sameTokens) {
    throw recipe.error(
      ["train", "theseus"],
      "Cannot put layers of a teacher with another tokenizer in the student's place: name the teacher's as " +
        "dataset.tokenizer",
    );
  }
  await test.fetch?.(Uint32Array.of(0));
  const theseus = recipe.within(["train", "theseus"], () => {
    const theseus = new Theseus(student.model, teacher, options);
    theseus.check(ops, () => student.weights(), test);
    return theseus;
  });
  report(theseus.describe());
  return theseus;
}

/** Frees a part of a run. */
export const freed = (part: { dispose(): void }): void => part.dispose();
