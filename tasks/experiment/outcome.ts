import { showMetric } from "../../core/evaluate/metrics/show.ts";
import type { EpochDiagnostics } from "../../core/distill/training/diagnostics.ts";
import type { RunSummary } from "../../core/distill/summary/summary.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import type { Scalar } from "./experiment.ts";

/** A run that came to its end. */
export interface FinishedRun {
  /** The run folder. */
  readonly folder: string;
  readonly seed: number;
  readonly summary: RunSummary;
  /** By epoch; empty if the recipe asks for none. */
  readonly diagnostics: readonly EpochDiagnostics[];
}

/** A run whose training failed: a loss that is not finite, say. */
export interface FailedRun {
  readonly folder: string;
  readonly seed: number;
  readonly failure: string;
  /** Set where it did not come so far: nobody could do it. */
  readonly givenUp?: true;
}

/** A run's outcome. */
export type Outcome = FinishedRun | FailedRun;

/** Does a run, or finds that it is done. `title` names it for people. */
export type Runner = (recipe: Checked<Recipe>, title: string) => Promise<Outcome>;

/** Who does the runs of a grid. */
export interface Executor {
  readonly run: Runner;
  /** Whether it is given runs while others are under way; else the next one when the one before is done. */
  readonly atOnce: boolean;
  /** Is told, before the first of a row's tuning runs, which runs will follow from them. */
  foresee?(choice: Choice): Promise<void>;
}

/** A function does one run after another. */
export function executorOf(given: Runner | Executor): Executor {
  return typeof given === "function" ? { run: given, atOnce: false } : given;
}

/** The same runs, told as a part of something. */
export function asPart(given: Runner | Executor, part: string): Executor {
  const executor = executorOf(given);
  return {
    atOnce: executor.atOnce,
    run: (recipe, title) => executor.run(recipe, part + title),
    foresee: async (choice) => await executor.foresee?.({ ...choice, title: part + choice.title }),
  };
}

/** A run that is planned. */
export interface PlannedRun {
  readonly recipe: Checked<Recipe>;
  /** For people. */
  readonly title: string;
}

/** What is chosen by validation: the value whose runs are the best, after which its further runs are done. */
export interface Choice {
  /** For people. */
  readonly title: string;
  readonly values: readonly {
    readonly value: Scalar;
    readonly trials: readonly PlannedRun[];
    readonly runs: readonly PlannedRun[];
  }[];
}

/** A run as people know it, in a line: its score on the validation examples and its seconds, or why it failed. */
export function describe(outcome: Outcome): string {
  if ("failure" in outcome) return outcome.failure;
  const { student, seconds } = outcome.summary;
  const name = metricName(outcome.summary);
  const score = student.validationMetrics === null
    ? ""
    : `validation ${name} ${showMetric(name, scoreOf(student.validationMetrics))}, `;
  return `${score}${seconds.train.toFixed(1)} s`;
}

/** Those of several runs that came to their end. */
export function finished(outcomes: readonly Outcome[]): FinishedRun[] {
  return outcomes.filter((outcome) => "summary" in outcome);
}

/**
 * The name of the metric that runs are compared by: the first of their task's (see `metricNames` of the core), or the
 * agreement with the teacher where no test example has a label.
 */
export function metricName({ student }: RunSummary): string {
  return Object.keys(student.metrics)[0] ?? "accuracy";
}

/** A run's metric by a name, that of {@link metricName} if none is given; NaN if there is none. */
export function scoreOf(metrics: Readonly<Record<string, number>> | null, name?: string): number {
  return (name === undefined ? Object.values(metrics ?? {}).at(0) : metrics?.[name]) ?? NaN;
}
