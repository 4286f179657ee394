import * as Plot from "@observablehq/plot";
import type { Table } from "../experiment/tables.ts";
import { describeScore, showPart } from "../tune/show.ts";
import { describeConfiguration } from "../tune/space.ts";
import { isDecided, type TuningRecord, tuningTables } from "../tune/tuning_record.ts";
import { counted, duration } from "../support/format.ts";
import { type Child, element, pageOf, section, table } from "./elements.ts";
import { intervalChart } from "./interval_chart.ts";
import { draw, figure, legend, seriesColour } from "./plots.ts";

const TRIAL = seriesColour(0), RECIPE = seriesColour(1);

/** The page of a tuning: what its best is, what each lever was worth, and how the search came there. */
export function tuningPage(record: TuningRecord): string {
  const { name, version, search, seconds, trials, said, best } = record;
  const [searched, verdict] = tuningTables(record, Infinity);
  return pageOf(
    `${name}: report of a tuning`,
    element("h1", {}, name),
    element(
      "p",
      { class: "faint" },
      `${counted(trials.length, "trial")} by ${search === "random" ? "random search" : "successive halving"} · ` +
        `${duration(seconds.used)} of ${duration(seconds.budget)} · OPDF ${version}`,
    ),
    said.length === 0
      ? element("p", {}, `The best is trial ${best.trial}: ${describeConfiguration(best.configuration)}.`)
      : said.map((sentence) => element("p", {}, sentence)),
    verdict ? section(verdict.title, worths(record), tableOf(verdict), verdict.notes.map(faint)) : null,
    section(searched.title, searchChart(record), tableOf(searched), searched.notes.map(faint)),
  );
}

const tableOf = ({ header, rows, alignment }: Table) => table(header, rows, alignment);

const faint = (sentence: string) => element("p", { class: "faint" }, sentence);

/** What the verdict measured, with its intervals. */
function worths({ verdict: { findings }, metric }: TuningRecord): Child {
  const measured = findings.flatMap(({ lever, worth }) =>
    worth ? [{ name: lever ?? "all changes together", ...worth }] : []
  );
  if (measured.length === 0) return null;
  return [
    faint(
      "How much better the best is than itself without that lever. A hollow dot's interval holds 0: it may be noise.",
    ),
    intervalChart(measured, metric === "loss" ? "lower loss" : "points"),
  ];
}

/** What each trial came to, in the order of their beginnings, and the best of those that came to their end. */
function searchChart({ trials, resources, metric, best, decided }: TuningRecord): Child {
  const share = metric !== "loss";
  const shown = (score: number) => share ? score : -score;
  const points = trials.flatMap(({ trial, scores, configuration }) => {
    const reached = scores.filter((score): score is number => score !== null);
    const score = reached.at(-1);
    if (score === undefined) return [];
    const isWhole = reached.length === resources.length;
    const part = showPart(resources[reached.length - 1]);
    const title = `trial ${trial}, ${part}: ${describeScore(score, metric)}; ${describeConfiguration(configuration)}`;
    return [{ trial, score, y: shown(score), isWhole, isOwn: trial === 0, title }];
  }).toSorted((a, b) => a.trial - b.trial);
  if (points.length === 0) return null;
  const whole = points.filter(({ isWhole }) => isWhole);
  let top = -Infinity;
  const leading = whole.map(({ trial, score }) => ({ trial, y: shown(top = Math.max(top, score)) }));
  const end = leading.length > 0 ? [{ ...leading.at(-1)!, trial: points.at(-1)!.trial }] : [];
  const by = isDecided(decided) ? " The ring is the one that was chosen, by more seeds than this one." : "";
  return [
    faint(
      "A dot is a trial: filled where it had its whole training, hollow where it was stopped before, there the best of " +
        `its epochs so far. The line is the best whole one until then.${by}`,
    ),
    figure(
      "",
      null,
      legend([{ name: "trials", colour: TRIAL }, { name: "the recipe as it is", colour: RECIPE }]),
      draw(`Validation ${metric} by trial: ${points.map(({ title }) => title).join(". ")}`, {
        width: 640,
        height: 300,
        marginLeft: 52,
        marginRight: 20,
        marginTop: 26,
        marginBottom: 40,
        insetLeft: 10,
        insetRight: 10,
        style: { fontSize: "12px" },
        x: {
          label: "trial",
          labelAnchor: "center",
          labelArrow: "none",
          tickFormat: "d",
          ticks: Math.min(10, points.length),
        },
        y: {
          label: share ? `validation ${metric} %` : "validation loss",
          labelArrow: "none",
          nice: true,
          grid: true,
          percent: share,
        },
        marks: [
          Plot.line([...leading, ...end], {
            x: "trial",
            y: "y",
            curve: "step-after",
            stroke: "var(--rule)",
            strokeWidth: 4,
          }),
          Plot.dot(points.filter(({ trial }) => trial === best.trial), { x: "trial", y: "y", r: 9, stroke: TRIAL }),
          Plot.dot(points, {
            x: "trial",
            y: "y",
            r: 4.5,
            strokeWidth: 2,
            stroke: ({ isOwn }: { isOwn: boolean }) => isOwn ? RECIPE : TRIAL,
            fill: ({ isOwn, isWhole }: { isOwn: boolean; isWhole: boolean }) =>
              isWhole ? isOwn ? RECIPE : TRIAL : "var(--paper)",
            title: "title",
          }),
        ],
      }),
    ),
  ];
}
