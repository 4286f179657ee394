import { showMetric } from "../../core/evaluate/metrics/show.ts";
import type { Difference } from "../experiment/statistics.ts";
import type { Table } from "../experiment/tables.ts";
import { type Configuration, describeConfiguration, type Position } from "./space.ts";
import { failuresOf, type Finding, wordOf } from "./verdict.ts";

/** A score in a line of its own, as `distill` prints that metric. */
export function describeScore(score: number, metric: string | null): string {
  return showMetric(metric ?? "", metric === "loss" ? -score : score);
}

/** A score in a table, whose note says the unit: a loss as it is, all else as hundredths. */
export function showScore(score: number | null | undefined, metric: string | null): string {
  if (score === undefined) return "";
  if (score === null) return "lost";
  return metric === "loss" ? (-score).toFixed(4) : (100 * score).toFixed(2);
}

/** `+0.42 [-0.31, +1.15]`: of a loss by how much it is lower. */
export function showWorth(worth: Difference | null, metric: string | null): string {
  if (!worth) return "-";
  const [factor, digits] = metric === "loss" ? [1, 4] : [100, 2];
  const signed = (value: number) => `${value < 0 ? "-" : "+"}${Math.abs(factor * value).toFixed(digits)}`;
  return signed(worth.value) + (worth.interval ? ` [${worth.interval.map(signed).join(", ")}]` : "");
}

/** A trial for people. */
export interface TrialLine {
  readonly trial: number;
  readonly configuration: Configuration;
  /** By rung, as far as it came. */
  readonly scores: readonly (number | null)[];
}

/** Trials from the one that came furthest and scored best on, those that were lost at the end. */
export function ranked(trials: readonly TrialLine[]): TrialLine[] {
  const last = ({ scores }: TrialLine) => scores.at(-1) ?? -Infinity;
  const isLost = ({ scores }: TrialLine) => Number(scores.includes(null));
  return trials.toSorted((a, b) =>
    isLost(a) - isLost(b) || b.scores.length - a.scores.length || last(b) - last(a) || a.trial - b.trial
  );
}

/** A part of a training: `1/9`, `whole`. */
export function showPart(resource: number): string {
  return resource === 1 ? "whole" : `1/${Math.round(1 / resource)}`;
}

/** The header, the lines and the alignment of a table of trials. */
export function trialTable(
  trials: readonly TrialLine[],
  { resources, metric, mean = null }: {
    readonly resources: readonly number[];
    readonly metric: string | null;
    /** A column of a trial's mean, where that is known. */
    readonly mean?: { readonly title: string; readonly of: (trial: number) => number | undefined } | null;
  },
): Pick<Table, "header" | "rows" | "alignment"> {
  const means = mean ? [mean] : [];
  const numbers = ["trial", ...resources.map(showPart), ...means.map(({ title }) => title)];
  return {
    header: [...numbers, "what it changes"],
    rows: trials.map(({ trial, scores, configuration }) => [
      String(trial),
      ...resources.map((_, rung) => showScore(scores[rung], metric)),
      ...means.map(({ of }) => showScore(of(trial), metric)),
      describeConfiguration(configuration),
    ]),
    alignment: [...numbers.map(() => "right" as const), "left"],
  };
}

const position = (value: Position | null) => value === null ? "-" : String(value);

/** The verdict for people. */
export function verdictTable(
  findings: readonly Finding[],
  { metric, seeds, left, validation }: {
    readonly metric: string | null;
    readonly seeds: readonly number[];
    /** Levers that stand as in the recipe and have no off. */
    readonly left: readonly string[];
    /** The split that validation examples are taken from. */
    readonly validation: string;
  },
): Table {
  const measured = findings.filter(({ pairs }) => pairs > 0);
  const pairs = measured.map(({ pairs }) => pairs);
  const [fewest, most] = pairs.length === 0 ? [0, 0] : [Math.min(...pairs), Math.max(...pairs)];
  const rows = findings.map((finding) => [
    finding.lever ?? "all changes together",
    finding.lever === null ? "the best" : position(finding.best),
    finding.lever === null ? "the recipe" : position(finding.against),
    showWorth(finding.worth, metric),
    wordOf(finding) + failuresOf(finding),
  ]);
  const unit = metric === "loss" ? "how much lower the loss is" : `points of ${metric}`;
  const notes = [
    `Worth: the best less itself with that lever alone set back, ${unit} on validation examples; mean and 95 % ` +
    `interval over ${fewest === most ? most : `${fewest} to ${most}`} pairs of runs, each pair of one seed` +
    (seeds.length > 0 ? ` (${seeds.join(", ")}), none of which the search has seen.` : "."),
    ...(measured.length > 1
      ? [`Of ${measured.length} intervals at 95 % about one in twenty misses: one lever alone may be a chance.`]
      : []),
    ...(validation === "train" ? [] : [
      `Validation examples are of "${validation}": as far as each seed has the same ones, and with all of that it has, ` +
      "the verdict does not tell what is better from what was chosen to fit them.",
    ]),
    ...(left.length > 0 ? [`Left as in the recipe, with nothing to be held against: ${left.join(", ")}.`] : []),
  ];
  return {
    title: "What each lever is worth here",
    header: ["lever", "best", "against", "worth", "verdict"],
    alignment: ["left", "left", "left", "right", "left"],
    rows,
    notes,
  };
}
