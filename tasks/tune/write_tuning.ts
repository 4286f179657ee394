import { join } from "node:path";
import { z } from "zod";
import type { RunSummary } from "../../core/distill/summary/summary.ts";
import { REPORT } from "../../core/distill/run_folder.ts";
import { showMetric } from "../../core/evaluate/metrics/show.ts";
import { kindOfPath, movePath, removePath, writeFileAtomically } from "../../core/files.ts";
import { sealJson } from "../../core/sealed_json.ts";
import { VERSION } from "../../core/version.ts";
import { metricName, scoreOf } from "../experiment/outcome.ts";
import { markdownOf, textOf } from "../experiment/tables.ts";
import { counted, duration } from "../support/format.ts";
import { readOwnJson } from "../support/own_json.ts";
import { type Output, stylesOf } from "../support/output.ts";
import { BEST_RECIPE, BEST_RUN } from "./best_run.ts";
import { describeScore } from "./show.ts";
import { type Configuration, describeConfiguration, type Space } from "./space.ts";
import { isDecided, MEAN, TUNING, type TuningRecord, tuningTables, whole } from "./tuning_record.ts";
import { contrastsOf } from "./verdict.ts";
import type { Verdict } from "./verdict_runs.ts";

/** What a tuning came to. */
export interface Tuning extends Omit<TuningRecord, "version" | "test" | "said" | "left" | "tested"> {
  readonly space: Space;
  /** The run of the best configuration, the only one that was measured on the test examples. */
  readonly final: RunSummary;
  /** Runs that were measured on them before, in an earlier search of this folder. */
  readonly testedBefore: readonly string[];
}

/** Where an earlier result lies while a search in its folder goes on to another. */
const PREVIOUS = `previous-${TUNING}`;

const testedSchema = z.looseObject({
  test: z.looseObject({ run: z.string() }),
  tested: z.array(z.string()).optional(),
});

/** The runs that were measured on the test examples in a folder so far. @throws UserError for a damaged result */
export async function testedIn(folder: string): Promise<string[]> {
  const all: string[] = [];
  for (const name of [PREVIOUS, TUNING]) {
    const path = join(folder, name);
    const found = await readOwnJson(path, "the tuning", testedSchema, `remove "${path}", and its test is forgotten`);
    if (found) all.push(...found.tested ?? [found.test.run]);
  }
  // One that was stopped after its test is in no result yet.
  const metrics = join(folder, BEST_RUN, "metrics.json");
  const last = await readOwnJson(metrics, "the summary", z.looseObject({ run: z.string() }), `remove "${metrics}"`);
  if (last) all.push(last.run);
  return [...new Set(all)];
}

/** Puts the result of an earlier search aside, so that nothing beside another best recipe tells of it. */
export async function putTuningAside(folder: string): Promise<void> {
  for (const name of [REPORT, "tune.md"]) await removePath(join(folder, name));
  if (await kindOfPath(join(folder, TUNING)) !== null) await movePath(join(folder, TUNING), join(folder, PREVIOUS));
}

function recordOf(tuning: Tuning): TuningRecord {
  const { final: { student, teacher, examples, run }, space, trials, testedBefore, ...rest } = tuning;
  const measured = new Set(contrastsOf(space, tuning.best.configuration).map(({ lever }) => lever));
  return {
    version: VERSION,
    ...rest,
    test: { run, examples: examples.test, student: student.metrics, teacher: teacher?.metrics ?? null },
    tested: [...testedBefore.filter((other) => other !== run), run],
    said: closing(tuning),
    left: space.levers.map(({ name }) => name).filter((name) => !measured.has(name)),
    trials,
  };
}

/** Writes `tune.json`, which has every trial, and `tune.md` with the tables. */
export async function writeTuning(folder: string, tuning: Tuning): Promise<void> {
  const record = recordOf(tuning);
  await writeFileAtomically(join(folder, TUNING), await sealJson(record));
  const text = [`# tune ${tuning.name}`, ...record.said, ...tuningTables(record).map(markdownOf)].join("\n\n");
  await writeFileAtomically(join(folder, "tune.md"), text.replaceAll(/\n{3,}/g, "\n\n").trimEnd() + "\n");
}

/** Prints the result. @param page the path of its page; `null` if it was not drawn */
export function showTuning(folder: string, tuning: Tuning, out: Output, page: string | null): void {
  const { strong } = stylesOf(out);
  const record = recordOf(tuning);
  out.line("");
  for (const table of tuningTables(record)) {
    for (const line of textOf(table, strong)) out.line(line);
    out.line("");
  }
  for (const line of record.said) out.line(line);
  const files = [BEST_RECIPE, TUNING, "tune.md", ...page === null ? [] : [REPORT]];
  out.line(`Written: ${join(folder, `{${files}}`)}, ${join(folder, BEST_RUN, "student")}`);
}

function closing(tuning: Tuning): string[] {
  const { name, metric, resources, trials, best, decided, verdict, final, seconds } = tuning;
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
    `Best of "${name}" (trial ${best.trial}): ${describeConfiguration(best.configuration)}.`,
    `Validation ${metric} ${
      describeScore(winner.mean ?? winner.score, metric)
    }${by}${reference}: chosen by it, and so a ` +
    "little too high. " +
    `Test ${tested} ${student}${final.teacher ? ` (teacher ${teacher})` : ""}, measured once, of this run alone.`,
    ...testedNote(tuning),
    ...summary(verdict, best.configuration, whole(trials, resources).length),
    ...verdict.seeds.length === 0 ? ["What each lever is worth was not measured."] : [],
    `Took ${duration(seconds.used)} of ${duration(seconds.budget)}.`,
  ];
}

/** That there were other tests before, among which this is a choice. */
function testedNote({ testedBefore, final }: Tuning): string[] {
  const others = testedBefore.filter((run) => run !== final.run).length;
  if (others === 0) return [];
  return [
    `The test examples were looked at before: ${others === 1 ? "another best was" : `${others} other bests were`} ` +
    "measured on them in this folder, by earlier searches.",
  ];
}

/** What the verdict says of all changes together. */
function summary({ findings, seeds, failed }: Verdict, best: Configuration, ended: number): string[] {
  if (failed > 0) {
    return [
      `The best itself failed to train on ${failed} of ${
        counted(seeds.length, "fresh seed")
      }, which worths leave out: ` +
      "do not rely on it.",
    ];
  }
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
