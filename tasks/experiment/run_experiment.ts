import { UserError } from "../../core/errors.ts";
import { parseOverride } from "../../core/recipe/overrides.ts";
import { join } from "node:path";
import { allowedPlugins } from "../support/allowed_plugins.ts";
import { confined, writesOf } from "../support/confine.ts";
import { drawReport } from "../support/draw_report.ts";
import { overridesOf, type RunFlags } from "../support/flags.ts";
import { stoppable } from "../support/interrupt.ts";
import { RunsGivenUp } from "../support/errors.ts";
import { ownCodeAlone } from "../support/own_code.ts";
import { standardOutput, stylesOf } from "../support/output.ts";
import { runReporter } from "../support/progress.ts";
import type { Experiment } from "./experiment.ts";
import { allowancesOf, isSent, sentGrid } from "../queue/sent_grid.ts";
import type { SentFlags } from "../queue/flags.ts";
import type { GivenUp } from "../queue/queue_executor.ts";
import { dryExperiment, trialOverrides } from "./dry_experiment.ts";
import { frontTable } from "./front_table.ts";
import { openRows } from "./open_rows.ts";
import { withOutputFolder } from "./output_folder.ts";
import { refuseOverwritten } from "./overwritten.ts";
import { checkGrid, runBudgets } from "./run_budgets.ts";
import type { RowResult } from "./run_grid.ts";
import { trainingRunner } from "./runner.ts";
import { stopOfSeveral } from "./stop_of_several.ts";
import { type Table, tablesOf, textOf } from "./tables.ts";
import { putResultsAside, writeResults } from "./write_results.ts";

/** Flags of the verbs that run an experiment. */
export interface ExperimentFlags
  extends Pick<RunFlags, "set" | "backend" | "allowPluginUrl" | "quiet" | "verbose">, SentFlags {
  readonly output?: string;
  readonly dryRun?: boolean;
}

/** A verb's additions to an experiment's tables. */
export interface Conclusion {
  /** Lines below the tables. */
  readonly notes: readonly string[];
  /** More keys of `results.json`. */
  readonly [key: string]: unknown;
}

/** Runs an experiment from the command line as {@link runExperiments} does; `conclude` says what follows from it. */
export async function runExperiment(
  experiment: Experiment,
  flags: ExperimentFlags,
  conclude?: (results: readonly RowResult[]) => Conclusion,
): Promise<void> {
  const native = mayLoadLibrary([withChanges(experiment, flags)]);
  const { writes, network } = await allowancesOf(flags);
  const own = writesOfRows(experiment, flags);
  await confined([...own, ...writes], async () => expectDone(await run(experiment, flags, conclude)), native, network);
}

/**
 * Whether no row has code run but this program's: then a matrix library may be loaded. The permission is needed for
 * each run, and other code must not have it.
 */
function mayLoadLibrary(experiments: readonly Experiment[]): boolean {
  return experiments.every(({ rows }) => rows.every((row) => ownCodeAlone(row.recipe([]).value)));
}

/** What the runs of an experiment write. @throws UserError for a mistake in a row's recipe */
function writesOfRows(experiment: Experiment, flags: ExperimentFlags): string[] {
  const folder = folderOf(experiment, flags);
  return withChanges(experiment, flags).rows.flatMap((row) => writesOf(row.recipe([]), folder));
}

function folderOf({ name }: Experiment, { output }: ExperimentFlags): string {
  return output ?? join("runs", name);
}

/** @throws RunsGivenUp if there is one */
function expectDone(givenUp: readonly GivenUp[]): void {
  if (givenUp.length > 0) throw new RunsGivenUp(givenUp);
}

/** Runs an experiment, writes and shows what came of it, and returns the runs that were given up. */
async function run(
  experiment: Experiment,
  flags: ExperimentFlags,
  conclude: (results: readonly RowResult[]) => Conclusion = () => ({ notes: [] }),
): Promise<readonly GivenUp[]> {
  const out = standardOutput("stdout");
  const verbose = runReporter(out, standardOutput("stderr"), flags);
  // In a file the line that closes each run says enough.
  const reporter = out.terminal || flags.verbose ? verbose : { ...verbose, progress: () => {} };
  const folder = folderOf(experiment, flags);
  const changed = withChanges(experiment, flags);
  const told = await withOutputFolder(folder, experiment.name, async (check) => {
    const begin = async () => {
      await check();
      await putResultsAside(folder);
    };
    const builtins = allowedPlugins(flags);
    const { parts, givenUp } = await stoppable(
      async (signal) => {
        if (isSent(flags)) return await sentGrid(changed, folder, flags, { builtins, reporter, signal, begin });
        await openRows(changed, folder, builtins, reporter, signal);
        const parts = await runBudgets(changed, folder, trainingRunner(builtins, reporter, signal, begin));
        return { parts, givenUp: [] };
      },
      () => {
        reporter.end();
        if (!isSent(flags)) {
          reporter.warning(
            "stopping with a checkpoint as soon as the current step is done; Ctrl-C again stops at once",
          );
        }
      },
    ).catch((error) => {
      // What stays in a queue that says itself.
      throw isSent(flags) ? error : stopOfSeveral(error);
    }).finally(reporter.end);
    if (parts === null) return null;
    const { results } = parts.at(-1)!;
    const conclusion = conclude(results);
    const budgets = parts.filter(({ budget }) => budget);
    const tables = [
      ...(budgets.length > 0 ? [frontTable(changed.name, budgets)] : []),
      ...parts.flatMap(({ experiment, results }) => tablesOf(experiment, results)),
    ];
    await check();
    await writeResults(folder, changed, results, tables, conclusion, budgets);
    const report = await drawReport(folder, reporter.warning);
    return { tables, notes: conclusion.notes, report, givenUp };
  });
  if (told === null) return [];
  show(told.tables, [...told.notes, written(folder, told.report)]);
  return told.givenUp;

  function show(tables: readonly Table[], notes: readonly string[]): void {
    const { strong } = stylesOf(out);
    if (!flags.quiet) out.line("");
    for (const table of tables) {
      for (const line of textOf(table, strong)) out.line(line);
      out.line("");
    }
    for (const note of notes) out.line(note);
  }
}

function written(folder: string, report: string | null): string {
  return `Written: ${join(folder, "results.{json,md,csv}")}${report === null ? "" : `, ${report}`}`;
}

/**
 * Runs experiments one after the other: what is done already with the same inputs is not done again, the tables close
 * each, and its folder keeps them. With several, `--output` is the folder of their folders. All recipes are read before
 * the first run.
 *
 * @throws UserError for a mistake in a recipe, or a flag that sets what the grid sets in each run
 */
export async function runExperiments(experiments: readonly Experiment[], flags: ExperimentFlags): Promise<void> {
  // Of several some may take what another tunes.
  refuseOverwritten(flags.set.map(parseOverride), experiments.length === 1 ? experiments[0].tune : null);
  for (const experiment of experiments) checkGrid(withChanges(experiment, flags));
  const { output } = flags;
  const several = experiments.length > 1;
  const within = (folder: string | undefined, { name }: Experiment) =>
    several && folder !== undefined ? join(folder, name) : folder;
  const own = experiments.map((experiment) => ({
    ...flags,
    output: within(output, experiment),
    jobs: within(flags.jobs, experiment),
    collect: within(flags.collect, experiment),
  }));
  if (flags.dryRun) {
    if (isSent(flags)) {
      throw new UserError(
        "Expected --dry-run alone: it looks at the runs of this machine, not at what others have done",
      );
    }
    return await tryAll(experiments, own);
  }
  const { writes, network } = await allowancesOf(flags);
  const written = experiments.flatMap((experiment, index) => writesOfRows(experiment, own[index]));
  await confined(
    [...written, ...writes],
    async () => {
      // Told in the end, as it keeps no other experiment from being done.
      const all: GivenUp[] = [];
      for (const [index, experiment] of experiments.entries()) {
        const givenUp = await run(experiment, own[index]);
        const of = several ? `${experiment.name}: ` : "";
        all.push(...givenUp.map(({ told, ofRecipe }) => ({ told: of + told, ofRecipe })));
      }
      expectDone(all);
    },
    mayLoadLibrary(experiments.map((experiment, index) => withChanges(experiment, own[index]))),
    network,
  );
}

/** The experiment with what flags set in every row, after what the row itself sets. */
function withChanges(experiment: Experiment, { set, backend }: ExperimentFlags): Experiment {
  const flagged = overridesOf({ set, backend });
  const rows = experiment.rows.map((row) => ({
    ...row,
    recipe: (changes: Parameters<typeof row.recipe>[0]) => row.recipe([...flagged, ...changes]),
  }));
  // A flag that sets the subset changes what each seed draws.
  const resample = experiment.resample && (rows[0].recipe([]).value.subset?.fraction ?? null);
  return { ...experiment, rows, resample };
}

/** Says what experiments are still to do, and does nothing of it. */
async function tryAll(experiments: readonly Experiment[], flags: readonly ExperimentFlags[]): Promise<void> {
  const all = experiments.map((experiment, index) => {
    const own = flags[index];
    return { experiment: withChanges(experiment, own), folder: folderOf(experiment, own), flags: own };
  });
  const writes = all.flatMap(({ experiment: { rows }, folder }) =>
    rows.flatMap((row) => writesOf(row.recipe(trialOverrides(row, folder))))
  );
  // Nothing is sent, whatever the flags say.
  const { network } = await allowancesOf({});
  await confined(
    writes,
    async () => {
      const out = standardOutput("stdout");
      for (const { experiment, folder, flags } of all) {
        const reporter = runReporter(out, standardOutput("stderr"), flags);
        const lines = await stoppable(
          (signal) => dryExperiment(experiment, folder, flags, reporter, signal),
          () => {},
        ).finally(reporter.end);
        lines.forEach((line) => out.line(line));
      }
    },
    mayLoadLibrary(all.map(({ experiment }) => experiment)),
    network,
  );
}
