import { join } from "node:path";
import type { RunSummary } from "../../core/distill/summary.ts";
import { showMetric } from "../../core/evaluate/metrics/show.ts";
import { writeFileAtomically } from "../../core/files.ts";
import { VERSION } from "../../core/version.ts";
import { metricName, scoreOf } from "../experiment/outcome.ts";
import { markdownOf, type Table, textOf } from "../experiment/tables.ts";
import { counted, duration } from "../support/format.ts";
import { type Output, stylesOf } from "../support/output.ts";
import { type Decided, DECIDING_SEEDS } from "./decide.ts";
import { BEST_RECIPE, BEST_RUN } from "./best_run.ts";
import { describeScore, ranked, type TrialLine, trialTable, verdictTable } from "./show.ts";
import type { Configuration, Space } from "./space.ts";
import { contrastsOf } from "./verdict.ts";
import type { Verdict } from "./verdict_runs.ts";

/** The name of a tuning's result. */
export const TUNING = "tune.json";

/** Trials in the closing table. */
const SHOWN = 8;

/** What a tuning came to. */
export interface Tuning {
  readonly name: string;
  readonly seed: number;
  readonly search: string;
  readonly seconds: { readonly budget: number; readonly used: number };
  /** The metric that scores are of. */
  readonly metric: string;
  readonly resources: readonly number[];
  readonly space: Space;
  readonly trials: readonly TrialLine[];
  readonly best: { readonly trial: number; readonly configuration: Configuration };
  /** The trials among which the best was decided, that first. */
  readonly decided: readonly Decided[];
  readonly verdict: Verdict;
  /** The run of the best configuration, the only one that was measured on the test examples. */
  readonly final: RunSummary;
}

/** Writes `tune.json`, which has every trial, and `tune.md` with the tables. */
export async function writeTuning(folder: string, tuning: Tuning): Promise<void> {
  const { final, space: _space, trials, ...rest } = tuning;
  const { student, teacher, examples, run } = final;
  const json = {
    version: VERSION,
    ...rest,
    test: { run, examples: examples.test, student: student.metrics, teacher: teacher?.metrics ?? null },
    trials,
  };
  await writeFileAtomically(join(folder, TUNING), JSON.stringify(json, null, 2) + "\n");
  const text = [`# tune ${tuning.name}`, ...closing(tuning), ...tables(tuning).map(markdownOf)].join("\n\n");
  await writeFileAtomically(join(folder, "tune.md"), text.replaceAll(/\n{3,}/g, "\n\n").trimEnd() + "\n");
}

/** Prints the result. */
export function showTuning(folder: string, tuning: Tuning, out: Output): void {
  const { strong } = stylesOf(out);
  out.line("");
  for (const table of tables(tuning)) {
    for (const line of textOf(table, strong)) out.line(line);
    out.line("");
  }
  for (const line of closing(tuning)) out.line(line);
  out.line(`Written: ${join(folder, `{${BEST_RECIPE},${TUNING},tune.md}`)}, ${join(folder, BEST_RUN, "student")}`);
}

function tables({ trials, resources, metric, space, best, decided, verdict }: Tuning): Table[] {
  const place = ({ trial }: TrialLine) => decided.findIndex((one) => one.trial === trial) + 1 || Infinity;
  const order = ranked(trials).sort((a, b) => place(a) === place(b) ? 0 : place(a) - place(b)).slice(0, SHOWN);
  const of = (trial: number) => decided.find((one) => one.trial === trial)?.mean ?? undefined;
  const table = trialTable(order, { resources, metric, space, mean: isDecided(decided) ? { title: MEAN, of } : null });
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
      }; midway ` +
      "the best epoch so far, as the rate is still high.",
    ],
  };
  if (verdict.seeds.length === 0) return [search];
  const measured = new Set(contrastsOf(space, best.configuration).map(({ lever }) => lever));
  const left = space.levers.map(({ name }) => name).filter((name) => !measured.has(name));
  return [search, verdictTable(verdict.findings, { metric, seeds: verdict.seeds, left })];
}

const MEAN = `${1 + DECIDING_SEEDS} seeds`;

/** Whether there was time to decide by more than one seed. */
function isDecided(decided: readonly Decided[]): boolean {
  return decided[0].mean !== null;
}

/** Trials that came to their end. */
function whole(trials: readonly TrialLine[], resources: readonly number[]): TrialLine[] {
  return trials.filter(({ scores }) => scores.length === resources.length && scores.at(-1) !== null);
}

function closing({ name, metric, resources, space, trials, best, decided, verdict, final, seconds }: Tuning): string[] {
  const [winner] = decided;
  const own = decided.find(({ trial }) => trial === 0);
  const reference = own && best.trial !== 0 && (own.mean === null) === (winner.mean === null)
    ? ` (the recipe's own: ${describeScore(own.mean ?? own.score, metric)})`
    : "";
  const by = isDecided(decided) ? `, the mean of ${MEAN}` : `, of one seed, the best of ${trials.length} trials`;
  const tested = metricName(final);
  const [student, teacher] = [final.student.metrics, final.teacher?.metrics ?? null].map((metrics) =>
    showMetric(tested, scoreOf(metrics, tested))
  );
  return [
    `Best of "${name}" (trial ${best.trial}): ${space.describe(best.configuration)}.`,
    `Validation ${metric} ${
      describeScore(winner.mean ?? winner.score, metric)
    }${by}${reference}: chosen by it, and so a ` +
    "little too high. " +
    `Test ${tested} ${student}${final.teacher ? ` (teacher ${teacher})` : ""}, measured once, of this run alone.`,
    ...summary(verdict, best.configuration, whole(trials, resources).length),
    ...verdict.seeds.length === 0 ? ["What each lever is worth was not measured."] : [],
    `Took ${duration(seconds.used)} of ${duration(seconds.budget)}.`,
  ];
}

/** What the verdict says of all changes together. */
function summary({ findings }: Verdict, best: Configuration, ended: number): string[] {
  const moved = Object.keys(best);
  if (moved.length === 0) {
    return [`None of the ${ended} trials that came to their end has turned out better than the recipe as it is.`];
  }
  const all = findings.find(({ lever }) => lever === (moved.length === 1 ? moved[0] : null))?.worth;
  if (!all?.interval) {
    return ["Whether it is better than the recipe on other seeds is not known."];
  }
  if (all.withinNoise) {
    return ["On fresh seeds it is within noise of the recipe as it is: keep that, or tune for longer."];
  }
  return [
    all.value > 0
      ? "On fresh seeds it is better than the recipe as it is."
      : "On fresh seeds it is worse than the recipe as it is: keep that.",
  ];
}
