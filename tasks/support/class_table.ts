import { AVERAGES, type LabelScores } from "../../core/evaluate/metrics/class_scores.ts";
import type { Confusion } from "../../core/evaluate/metrics/confusion.ts";
import type { TypeScores } from "../../core/evaluate/metrics/spans.ts";
import { labelNote, shownMetrics } from "../../core/evaluate/metrics/show.ts";
import { counted, grouped } from "./format.ts";
import type { Styles } from "./output.ts";
import { alignColumns } from "./table.ts";

/** How good a saved model is, as a JSON value. */
export interface ModelReport {
  /** The model's folder. */
  readonly model: string;
  readonly architecture: string;
  readonly recipe: string;
  readonly split: string;
  readonly backend: string;
  readonly examples: number;
  /** How many of them have a label, which all else is of. */
  readonly labelled: number;
  /** Mean cross-entropy in nats; mean squared error for a regression; `null` where no example has a label. */
  readonly loss: number | null;
  /** The class that `f1` is of; `null` where it is not that of a class. */
  readonly positiveClass: string | null;
  /** By name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** `null` for a regression, and where no example has a label. */
  readonly classes: readonly ClassReport[] | null;
  /** `[true class][predicted class]`: how many examples or tokens; `null` where there are no `classes`. */
  readonly confusion: Confusion | null;
  /** The scores of each type of spans that tags mark; `null` where they mark none. */
  readonly spans: readonly TypeScores[] | null;
  /** Which scores stand for 0 / 0, in a sentence each. */
  readonly notes: readonly string[];
}

/** One class of a {@link ModelReport}: its counts and scores. */
interface ClassReport extends LabelScores {
  /** The recall of a class that has examples; else `null`. */
  readonly accuracy: number | null;
}

/** A confusion matrix of more classes than this fits no terminal. */
const MOST_COLUMNS = 20;

/** Lines for people: totals, then a row for each class with its scores and what its examples were taken for. */
export function showModelReport(report: ModelReport, styles: Styles): string[] {
  const { model, architecture, split, examples, loss, metrics, classes, confusion, spans, notes } = report;
  // The means of a score over classes close its column.
  const single = Object.fromEntries(
    Object.entries(metrics).filter(([name]) => !(AVERAGES as readonly string[]).includes(name)),
  );
  return [
    ...alignColumns([
      ["model", `${model} (${architecture})`],
      ["data", [`${counted(examples, `${split} example`)} of ${report.recipe}`, ...labelNote(report)].join(", ")],
      ...shownMetrics({ ...report, metrics: single }, Object.keys(single)),
      ...(loss === null ? [] : [["loss", loss.toFixed(4)]]),
    ], ["left"]),
    ...(spans ? ["", ...spanTable(spans, metrics, styles)] : []),
    ...(classes ? ["", ...classTable(classes, confusion, spans ? null : metrics, styles)] : []),
    ...(notes.length > 0 ? ["", ...notes] : []),
  ];
}

/** The rows of means under the scores of classes: `macro`, `micro` and `weighted`, as those of {@link AVERAGES}. */
function averageRows(metrics: Readonly<Record<string, number>>): [name: string, ...scores: string[]][] {
  return ["Macro", "Micro", "Weighted"].filter((average) => `f1${average}` in metrics).map((average) => [
    average.toLowerCase(),
    ...SCORES.map((score) => showScore(metrics[`${score}${average}`])),
  ]);
}

const SCORES = ["precision", "recall", "f1"] as const;

const showScore = (value: number | null) => value === null ? "-" : value.toFixed(4);

function spanTable(
  spans: readonly TypeScores[],
  metrics: Readonly<Record<string, number>>,
  { strong }: Styles,
): string[] {
  const [header, ...rows] = alignColumns([
    ["spans of", "number", ...SCORES],
    ...spans.map((own) => [own.type, grouped(own.spans), ...SCORES.map((score) => showScore(own[score]))]),
    ...averageRows(metrics).map(([name, ...scores]) => [name, "", ...scores]),
  ], ["left", "right"]);
  return [strong(header), ...rows];
}

function classTable(
  classes: readonly ClassReport[],
  confusion: Confusion | null,
  metrics: Readonly<Record<string, number>> | null,
  { strong }: Styles,
): string[] {
  const matrix = confusion !== null && classes.length <= MOST_COLUMNS;
  const places = matrix ? classes.map((_, index) => String(index)) : [];
  const [header, ...rows] = alignColumns([
    ["class", "", "examples", ...SCORES, ...places],
    ...classes.map((own, index) => [
      String(index),
      own.label,
      grouped(own.examples),
      ...SCORES.map((score) => showScore(own[score])),
      ...(matrix ? confusion[index].map(grouped) : []),
    ]),
    ...averageRows(metrics ?? {}).map(([name, ...scores]) => ["", name, "", ...scores, ...places.map(() => "")]),
  ], ["right", "left", "right"]);
  return [
    strong(matrix ? `${header}  (taken for)` : header),
    ...rows,
    ...(matrix || !confusion ? [] : ["", strong("most frequent mistakes"), ...frequentMistakes(classes, confusion)]),
  ];
}

/** The largest entries of the confusion matrix beside its diagonal, for as many as a person reads. */
function frequentMistakes(classes: readonly ClassReport[], confusion: Confusion): string[] {
  const mistakes = confusion.flatMap((row, truth) =>
    row.flatMap((count, taken) => truth === taken || count === 0 ? [] : [{ truth, taken, count }])
  );
  const most = mistakes.toSorted((a, b) => b.count - a.count).slice(0, 10);
  return alignColumns(
    most.map(({ truth, taken, count }) => [
      grouped(count),
      `${classes[truth].label} taken for ${classes[taken].label}`,
    ]),
    ["right", "left"],
  );
}
