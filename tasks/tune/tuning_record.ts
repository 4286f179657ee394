import type { RunSummary } from "../../core/distill/summary/summary.ts";
import type { Table } from "../experiment/tables.ts";
import { counted } from "../support/format.ts";
import { type Decided, DECIDING_SEEDS } from "./decide.ts";
import { ranked, type TrialLine, trialTable, verdictTable } from "./show.ts";
import type { Configuration } from "./space.ts";
import type { Verdict } from "./verdict_runs.ts";

/** The name of a tuning's result. */
export const TUNING = "tune.json";

/** Trials in the closing table. */
const SHOWN = 8;

/** What `tune.json` says: all that the tables and the page are made of. */
export interface TuningRecord {
  readonly version: string;
  readonly name: string;
  readonly seed: number;
  readonly search: string;
  readonly seconds: { readonly budget: number; readonly used: number };
  /** The metric that scores are of. */
  readonly metric: string;
  /** Parts of a whole training over which trials were trained to be compared; the last is 1. */
  readonly resources: readonly number[];
  readonly trials: readonly TrialLine[];
  readonly best: { readonly trial: number; readonly configuration: Configuration };
  /** The trials among which the best was decided, that first. */
  readonly decided: readonly Decided[];
  readonly verdict: Verdict;
  /** Of the best configuration's run, the only one that was measured on the test examples. */
  readonly test: {
    readonly run: string;
    readonly examples: number;
    readonly student: RunSummary["student"]["metrics"];
    readonly teacher: RunSummary["student"]["metrics"] | null;
  };
  /** Runs that were measured on the test examples in this folder, this one the last. */
  readonly tested: readonly string[];
  /** Sentences for people. */
  readonly said: readonly string[];
  /** Levers that stand as in the recipe, with nothing to be held against. */
  readonly left: readonly string[];
  /** The split that validation examples are taken from. */
  readonly validation: string;
}

/** The tables of a tuning: of its search, and of its verdict if there is one. @param most trials in the first */
export function tuningTables(
  { trials, resources, metric, decided, verdict, left, validation }: TuningRecord,
  most = SHOWN,
): Table[] {
  const place = ({ trial }: TrialLine) => decided.findIndex((one) => one.trial === trial) + 1 || Infinity;
  const order = ranked(trials).sort((a, b) => place(a) === place(b) ? 0 : place(a) - place(b)).slice(0, most);
  const of = (trial: number) => decided.find((one) => one.trial === trial)?.mean ?? undefined;
  const table = trialTable(order, { resources, metric, mean: isDecided(decided) ? { title: MEAN, of } : null });
  const lost = trials.filter(({ scores }) => scores.includes(null)).length;
  const unit = metric === "loss" ? "loss" : `${metric} in points`;
  const search: Table = {
    title: `Search: ${counted(trials.length, "trial")}, ${whole(trials, resources).length} to their end${
      lost > 0 ? `, ${lost} lost` : ""
    }`,
    ...table,
    notes: [
      `Validation ${unit}, of one seed${
        isDecided(decided) ? ` but for the mean by which the best is decided` : ""
      }; a ` +
      "part is a complete training of that part of the length.",
    ],
  };
  if (verdict.seeds.length === 0) return [search];
  return [search, verdictTable(verdict.findings, { metric, seeds: verdict.seeds, left, validation })];
}

/** What the mean is of by which the best is decided. */
export const MEAN = `${1 + DECIDING_SEEDS} seeds`;

/** Whether there was time to decide by more than one seed. */
export function isDecided(decided: readonly Decided[]): boolean {
  return decided[0].mean !== null;
}

/** Trials that came to their end. */
export function whole(trials: readonly TrialLine[], resources: readonly number[]): TrialLine[] {
  return trials.filter(({ scores }) => scores.length === resources.length && scores.at(-1) !== null);
}
