import { Random } from "../../core/data/random.ts";
import { closeData } from "../../core/distill/close_data.ts";
import { distill } from "../../core/distill/distill.ts";
import { loadData, type RunData } from "../../core/distill/load_data.ts";
import { type Resolved, resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import { startingTokenizer } from "../../core/distill/student/starting_inputs.ts";
import { TrainingFailure } from "../../core/distill/stops.ts";
import { CheckpointRefused } from "../../core/distill/training/checkpoint.ts";
import type { RunSummary } from "../../core/distill/summary.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { giveUpNativeCode } from "../support/confine.ts";
import { ownCodeAlone } from "../support/own_code.ts";
import { withBackend } from "../support/backend.ts";
import type { RunReporter } from "../support/progress.ts";
import { InputHashes, readInputs, writeInputs } from "./inputs.ts";
import { metricName, type Outcome, type Runner, scoreOf } from "./outcome.ts";
import { canResume, diagnosticsIn, forgetOutcome, outcomeIn, writeFailure } from "./run_folder.ts";

/**
 * A runner that trains: a run that is done is not done again unless a file that it read has changed, an interrupted one
 * goes on from its checkpoint, and each has a backend of its own, so that its peak of memory is its own.
 *
 * @param builtins the plug-ins that recipes may name
 * @param reporter is told one line for each run
 * @param begin called before each run that is done anew
 */
export function trainingRunner(
  builtins: Builtins,
  reporter: RunReporter,
  signal: AbortSignal,
  begin: () => Promise<void> = () => Promise.resolve(),
): Runner {
  const told = new Set<string>();
  const tell = (line: string) => {
    if (!told.has(line)) reporter.line(line);
    told.add(line);
  };
  const hashes = new InputHashes();
  const known = new Map<string, ReturnType<typeof dataHashes>>();
  return async (recipe, title) => {
    // A tuned value may be a plug-in of the user's.
    if (!ownCodeAlone(recipe.value)) await giveUpNativeCode();
    // Fills in the plug-ins' options, as in the resolved recipe of the run folder.
    const plugins = await resolvePlugins(recipe, builtins);
    const { output: folder, seed, backend: choice, train: { precision } } = recipe.value;
    const done = await outcomeIn(recipe);
    const data = async () => {
      const { base, dataset } = recipe.value;
      const tokenizer = await startingTokenizer(recipe);
      const key = JSON.stringify([base, dataset, tokenizer]);
      const own = known.get(key) ?? dataHashes(recipe, plugins.dataset, tokenizer, (line) => reporter.warning(line));
      known.set(key, own);
      return await own;
    };
    const changed = await hashes.changed(recipe, await inputsOf(folder, done), data);
    if (done && !changed) {
      reporter.line(`${title}: ${describe(done)} (was done)`);
      return done;
    }
    const resume = await canResume(recipe, (reason) => reporter.line(`${title}: ${reason}`));
    if (changed && (done || resume)) reporter.line(`${title}: ${changed} has changed since: the run is done anew`);
    await begin();
    await forgetOutcome(folder);
    const named = await hashes.named(recipe);
    await writeInputs(folder, named);
    const run = (resume: boolean) =>
      withBackend(
        choice,
        tell,
        (backend) => distill(recipe, { backend, builtins, resume, reporter: quietly(reporter, title), signal }),
        { f16: precision === "f16", again: true },
      );
    let outcome: Outcome;
    try {
      const summary = await (resume && !changed ? resumed(run) : run(false));
      outcome = { folder, seed, summary, diagnostics: await diagnosticsIn(folder) };
    } catch (error) {
      if (!(error instanceof TrainingFailure)) throw error;
      // A failure has no summary that says what was read.
      await writeInputs(folder, { ...named, data: await data() });
      await writeFailure(folder, error.message);
      outcome = { folder, seed, failure: error.message };
    }
    reporter.end();
    reporter.line(`${title}: ${describe(outcome)}`);
    return outcome;
  };
}

/** SHA-256 of what the data set of a recipe reads. */
async function dataHashes(
  recipe: Checked<Recipe>,
  dataset: Resolved<"dataset">,
  tokenizer: string | null,
  warn: (line: string) => void,
): Promise<RunData["sha256"]> {
  const data = await loadData(recipe, dataset, new Random(recipe.value.seed), tokenizer);
  await closeData(data.dataset, warn);
  return data.sha256;
}

/** What the run of a folder read, as far as is known. */
async function inputsOf(folder: string, done: Outcome | null) {
  const written = await readInputs(folder);
  return done && "summary" in done ? { ...written, data: done.summary.dataSha256 } : written;
}

async function resumed(run: (resume: boolean) => Promise<RunSummary>): Promise<RunSummary> {
  try {
    return await run(true);
  } catch (error) {
    // Data or teacher have changed since: the run is another one.
    if (!(error instanceof CheckpointRefused)) throw error;
    return run(false);
  }
}

/** Of a run within many only progress and warnings are told. */
function quietly(reporter: RunReporter, title: string) {
  return {
    line: () => {},
    warning: (text: string) => reporter.warning(`${title}: ${text}`),
    progress: reporter.progress,
  };
}

function describe(outcome: Outcome): string {
  if ("failure" in outcome) return outcome.failure;
  const { student, seconds } = outcome.summary;
  const score = student.validationMetrics === null
    ? ""
    : `validation ${metricName(outcome.summary)} ${scoreOf(student.validationMetrics).toFixed(4)}, `;
  return `${score}${seconds.train.toFixed(1)} s`;
}
