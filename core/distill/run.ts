import { type Owned } from "../owned.ts";
import { expectArguments } from "../arguments.ts";
import { decidedIn } from "../evaluate/answers.ts";
import { evaluate, type Evaluation } from "../evaluate/evaluate.ts";
import { showMetrics } from "../evaluate/metrics/show.ts";
import { writeFileAtomically } from "../files.ts";
import { showExport } from "../onnx/show_export.ts";
import { readModelWeights } from "../model_folder/read_weights.ts";
import { join } from "../paths.ts";
import type { Model } from "../plugin/model.ts";
import type { Weights } from "../nn/weights.ts";
import type { Checked } from "../recipe/checked.ts";
import { baseFrom } from "../recipe/recipe.ts";
import type { Recipe } from "../recipe/schema.ts";
import { stringifyRecipe } from "../recipe/write_recipe.ts";
import { DeviceError, UserError } from "../errors.ts";
import { sealJson } from "../sealed_json.ts";
import { openRun, type RunOptions, type RunParts } from "./open_run.ts";
import { silent } from "./progress.ts";
import type { CardFacts } from "./summary/card_facts.ts";
import { writeStudentCard } from "./summary/model_card.ts";
import { MANIFEST, manifestOf } from "./manifest.ts";
import { noting } from "./record/noting.ts";
import { recordRun } from "./record/record.ts";
import { RECORD, writeRunRecipe } from "./run_folder.ts";
import { RunDeviceError } from "./stops.ts";
import { exportOnnx, STUDENT_ONNX } from "./student/export_onnx.ts";
import { type ExportedStudent, exportStudent, STUDENT as STUDENT_FOLDER } from "./student/export_student.ts";
import { describeFactors } from "./student/factors/describe.ts";
import { summarise } from "./summarise.ts";
import type { RunSummary } from "./summary/summary.ts";
import { measuredStudent } from "./training/measured_student.ts";
import type { Training, TrainingResult } from "./training/training.ts";

/** A part of the data that a model is measured on. */
export type Split = "train" | "validation" | "test";

/**
 * A recipe at work: its data, teacher, over-parameterised student and losses, and a training that stands at some step.
 * It is driven to its end by {@link Run.train}, or step by step. Disposing of it frees all that it holds on the
 * backend.
 *
 * @example Ten steps, and a look at the student after them
 * ```ts no-run
 * import { builtins, openBackend, readRecipe } from "@opdf/opdf";
 * import { Run } from "./run.ts";
 *
 * const { backend } = await openBackend("auto");
 * {
 *   using run = await Run.open(await readRecipe("tasks/recipes/quickstart.yaml"), { backend, builtins });
 *   for (let step = 0; step < 10; step++) await run.step();
 *   console.log(await run.evaluate("validation"));
 * }
 * await backend.close();
 * ```
 */
export class Run implements Disposable {
  #claimed = false;
  #begun = false;
  #training = false;
  #disposed = false;
  #taught: Evaluation | null = null;
  #exported: ExportedStudent | null = null;
  readonly #owned: Owned;

  readonly #parts: RunParts;

  /** What was warned of; `null` unless the run is recorded. */
  readonly #warnings: readonly string[] | null;

  private constructor(parts: RunParts, owned: Owned, warnings: readonly string[] | null) {
    this.#parts = parts;
    this.#owned = owned;
    this.#warnings = warnings;
  }

  /** The parts of the run. @throws RangeError once the run is disposed of */
  get parts(): RunParts {
    if (this.#disposed) throw new RangeError("Cannot use a run that was disposed of: open it anew");
    return this.#parts;
  }

  /**
   * Loads data and teacher, builds the student, over-parameterises it and creates the losses. The run folder is made
   * and locked; nothing is written to it yet, and the results of a run before stay as they are.
   *
   * @throws UserError for a mistake in the recipe or in a file that it names, or if another run has the run folder;
   * then nothing is left on the backend
   * @throws StoppedEarly if the signal of the options fires
   */
  static async open(recipe: Checked<Recipe>, options: RunOptions): Promise<Run> {
    expectArguments("Run.open", { recipe: [recipe, "a recipe (see readRecipe)"], options: [options, "a map"] });
    expectArguments("Run.open", {
      "options.backend": [options.backend, "a backend (see openBackend)"],
      "options.builtins": [options.builtins, "a map"],
    });
    if (!options.record) {
      const { owned, ...parts } = await openRun(recipe, options);
      return new Run(parts, owned, null);
    }
    const { reporter, warnings } = noting(options.reporter ?? silent);
    const { owned, ...parts } = await openRun(recipe, { ...options, reporter });
    return new Run(parts, owned, warnings);
  }

  /** Whether all steps are done, or training stopped early. */
  get finished(): boolean {
    return this.parts.training.finished;
  }

  /** Steps done. */
  get steps(): number {
    return this.parts.training.progress.step;
  }

  /**
   * One training step on the next batch, with a line of the log when it is due; the last step of an epoch ends the
   * epoch with validation and checkpoint. The first one puts the results of a run before aside, writes the recipe into
   * the run folder and measures the teacher.
   *
   * @throws RangeError if training is finished, or the step before is still under way
   * @throws TrainingFailure if the log is due and a loss or the weights are NaN or infinite
   */
  async step(): Promise<void> {
    if (this.finished) throw new RangeError(`Cannot take another step: training is finished after ${this.steps}`);
    await this.#trained((training) => training.step());
  }

  /**
   * Trains from where the run stands to the end.
   *
   * @throws Interrupted when `signal` fires; the checkpoint is in the run folder
   * @throws TrainingFailure when a loss or the weights become NaN or infinite
   */
  async train(signal?: AbortSignal): Promise<TrainingResult> {
    return await this.#trained((training) => training.run(signal));
  }

  /**
   * Measures the student as it is now, its over-parameterised weights merged.
   *
   * @throws RangeError if the recipe has no validation examples
   */
  async evaluate(split: Split): Promise<Evaluation> {
    const { student } = this.parts;
    const weights = student.frozenWeights();
    return await this.#measure(split, student.model, weights).finally(weights.dispose);
  }

  /**
   * Merges the student, writes its folder and verifies what was written; see {@link exportStudent}.
   *
   * @throws TrainingFailure if the weights are not finite, or merging changed the student
   */
  export(): Promise<ExportedStudent> {
    return this.#onDevice(() => this.#export());
  }

  /** Measures the exported student, exporting it if that was not done, and writes the run's result: `metrics.json`. */
  summary(): Promise<RunSummary> {
    return this.#onDevice(() => this.#summary());
  }

  /** Frees all that the run holds. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#exported?.weights.dispose();
    this.#owned.dispose();
  }

  async #export(): Promise<ExportedStudent> {
    this.#dropExport();
    await this.#claim();
    await this.parts.folder.check();
    const { id, ops, student, recipe: { value: { verify, output } }, data, architecture, watch, narrow, factors } =
      this.parts;
    const setup = { ops, student, verify, data, folder: output, run: id, architecture, watch, narrow, factors };
    const exported = this.#exported = await exportStudent(setup);
    if (exported.factors) this.parts.reporter.line(describeFactors(exported.factors));
    return exported;
  }

  async #summary(): Promise<RunSummary> {
    await this.#begin();
    const exported = this.#exported ?? await this.#export();
    const { recipe: { value: settings }, data, watch, training } = this.parts;
    const { model } = exported;
    const measure = (split: Split) => watch.time("evaluate", () => this.#measure(split, model, exported.weights));
    const test = await measure("test");
    const known = exported.same ? training.validated : null;
    const validation = data.validation && (known ?? await measure("validation"));
    const seen = settings.evaluate.train ? await measure("train") : null;
    const taught = await this.#taughtInTheEnd();
    const measured = { taught, test, validation, seen };
    await this.parts.folder.check();
    const summary = summarise(this.parts, measured, exported, training.result);
    const { ops, student, architecture, description, teacher, reporter } = this.parts;
    const card: CardFacts = {
      recipe: settings,
      input: data.dataset.input,
      summary,
      architecture,
      description,
      config: model.config,
      overParameterised: new Map([...student.overParameterised].map(([name, { provider }]) => [name, provider])),
      teacherSha256: teacher?.sha256 ?? null,
    };
    await writeStudentCard(join(settings.output, STUDENT_FOLDER), card);
    if (settings.export.manifest) await this.#writeManifest(summary, exported.plain);
    const write = async (summary: RunSummary) =>
      await writeFileAtomically(join(settings.output, "metrics.json"), await sealJson(summary));
    // After the card, as who finds it takes the run for finished.
    await write(summary);
    // A record is of answers, right or wrong; vectors are none.
    const isAnswered = data.dataset.input.task !== "embedding";
    if (this.#warnings && isAnswered) await this.#record(exported, test, this.#warnings);
    const onnx = await watch.time("export", () => exportOnnx({ ops, model, data, recipe: settings, test }));
    if (!onnx) return summary;
    const folder = join(settings.output, STUDENT_ONNX);
    await writeStudentCard(folder, card, onnx);
    for (const line of showExport(folder, onnx)) reporter.line(line);
    const whole = { ...summary, seconds: watch.seconds, export: { onnx } };
    await write(whole);
    return whole;
  }

  /** The teacher on the test set, as it is once training is over. */
  async #taughtInTheEnd(): Promise<Evaluation | null> {
    const { teacher, watch, reporter } = this.parts;
    if (!teacher?.learns || !this.#taught) return this.#taught;
    const measure = () => this.#measure("test", teacher.model, teacher.weights, "the teacher");
    this.#taught = await watch.time("evaluate", measure);
    reporter.line(`teacher, having learned: test ${showMetrics(this.#taught)}`);
    return this.#taught;
  }

  async #writeManifest({ run, dataSha256, merge }: RunSummary, model: Model): Promise<void> {
    const { recipe, ops: { device } } = this.parts;
    const folder = join(recipe.value.output, STUDENT_FOLDER);
    // Of what is stored as factors the product.
    const numbers = await readModelWeights(folder, model, "student");
    const manifest = await manifestOf({ device, recipe, model, numbers, folder, dataSha256, run, merge });
    await writeFileAtomically(join(folder, MANIFEST), await sealJson(manifest));
  }

  /** Writes what a report shows beside the summary. The results are there: what fails now costs the record alone. */
  async #record(
    { model, weights }: ExportedStudent,
    evaluation: Evaluation,
    warnings: readonly string[],
  ): Promise<void> {
    const { id: run, ops, student, recipe: { value: settings }, data: { dataset: { input }, test }, reporter } =
      this.parts;
    const { threshold } = settings.evaluate;
    // What is cut to factors, or narrower, has not the matrices that were trained.
    const trained = model === student.model ? null : student.frozenWeights();
    const merged = trained ?? weights;
    const setup = { run, ops, input, test, student, merged, evaluation, taught: this.#taught, threshold, warnings };
    try {
      const record = await recordRun(setup);
      await writeFileAtomically(join(settings.output, RECORD), await sealJson(record));
    } catch (error) {
      if (!(error instanceof UserError || error instanceof DeviceError)) throw error;
      reporter.warning(`${error.message}; the student and metrics.json are there, a report is not`);
    } finally {
      trained?.dispose();
    }
  }

  /** Does a part of the run; if the device fails under it, the error says how to go on. */
  async #onDevice<Result>(body: () => Promise<Result>): Promise<Result> {
    try {
      return await body();
    } catch (error) {
      throw error instanceof DeviceError ? new RunDeviceError(error, this.parts.training.kept) : error;
    }
  }

  /** Runs a part of the training; what was exported before is of another student then. */
  async #trained<Result>(body: (training: Training) => Promise<Result>): Promise<Result> {
    if (this.#training) throw new RangeError("Cannot train while a step is under way: await it first");
    this.#training = true;
    try {
      return await this.#onDevice(async () => {
        await this.#begin();
        const { watch, training } = this.parts;
        if (!training.finished) this.#dropExport();
        return await watch.time("train", () => body(training));
      });
    } finally {
      this.#training = false;
    }
  }

  #dropExport(): void {
    this.#exported?.weights.dispose();
    this.#exported = null;
  }

  async #measure(split: Split, model: Model, weights: Weights, who = STUDENT): Promise<Evaluation> {
    const { ops, data, recipe: { value: { evaluate: settings } } } = this.parts;
    const examples = data[split];
    if (!examples) throw new RangeError(`Cannot measure on the ${split} examples: the recipe has none`);
    // Training examples may have the teacher's outputs in the place of what it takes.
    const taught = who === STUDENT && split !== "train" ? await this.parts.taught?.(examples) : null;
    const { input } = data.dataset;
    const isWanted = who !== STUDENT && this.parts.taught?.isAsked(examples);
    const answers = (this.#warnings !== null || isWanted) && split === "test";
    const measure = () => evaluate(ops, { who, model, weights, examples, input, ...settings, taught, answers });
    return await (who === STUDENT ? measuredStudent(this.parts.training.kept, measure) : measure());
  }

  /** Makes the folder this run's own, and writes the recipe as it was resolved; it runs again from there. */
  async #claim(): Promise<void> {
    if (this.#claimed) return;
    this.#claimed = true;
    const { id, recipe, folder, training, reporter } = this.parts;
    await folder.claim(id, { resume: training.resumed, goesOn: !training.finished }, reporter);
    const text = stringifyRecipe({ ...recipe.value, base: baseFrom(recipe, folder.path) });
    await writeRunRecipe(folder.path, id, text);
  }

  /** Takes the folder, measures the teacher, and says what is trained. */
  async #begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    const { teacher, student, watch, reporter } = this.parts;
    await this.#claim();
    if (teacher?.knows?.(this.parts.data.test) === false) {
      reporter.line("teacher: no outputs of the test examples");
    } else if (teacher) {
      this.#taught = await watch.time(
        "evaluate",
        () => this.#measure("test", teacher.model, teacher.weights, "the teacher"),
      );
      const { taught, data: { test } } = this.parts;
      if (taught?.isAsked(test)) taught.know(test, decidedIn(this.#taught.answers!));
      const learns = teacher.learns ? this.parts.training.resumed ? ", having learned" : ", before it learns" : "";
      reporter.line(`teacher${learns}: test ${showMetrics(this.#taught)}`);
    }
    const [training, inference] = [student.trainingParameters, student.inferenceParameters];
    reporter.line(`student: ${count(training)} parameters in training, ${count(inference)} at inference`);
  }
}

const STUDENT = "the student";

const count = (number: number) => number.toLocaleString("en");
