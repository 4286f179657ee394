import type { EpochDiagnostics } from "../../core/distill/training/diagnostics.ts";
import type { RunSummary } from "../../core/distill/summary.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";

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
}

/** A run's outcome. */
export type Outcome = FinishedRun | FailedRun;

/** Does a run, or finds that it is done. `title` names it for people. */
export type Runner = (recipe: Checked<Recipe>, title: string) => Promise<Outcome>;

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
