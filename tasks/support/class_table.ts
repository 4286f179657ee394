import type { Confusion } from "../../core/evaluate/metrics/confusion.ts";
import type { TypeScores } from "../../core/evaluate/metrics/spans.ts";
import { labelNote, shownMetrics } from "../../core/evaluate/metrics/show.ts";
import { counted, grouped, percent } from "./format.ts";
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
}

/** One class of a {@link ModelReport}. */
interface ClassReport {
  readonly label: string;
  /** How many there are, or how many tokens. */
  readonly examples: number;
  /** `null` where there is no example. */
  readonly accuracy: number | null;
  /** Of the examples taken for it, the part that is of it; `null` where the class neither occurs nor is predicted. */
  readonly precision: number | null;
  /** Of its examples alone against all others; `null` as well. */
  readonly f1: number | null;
}

/** A confusion matrix of more classes than this fits no terminal. */
const MOST_COLUMNS = 20;

/** Lines for people: totals, then a row for each class with what its examples were taken for. */
export function showModelReport(report: ModelReport, styles: Styles): string[] {
  const { model, architecture, split, examples, loss, classes, confusion, spans } = report;
  return [
    ...alignColumns([
      ["model", `${model} (${architecture})`],
      ["data", [`${counted(examples, `${split} example`)} of ${report.recipe}`, ...labelNote(report)].join(", ")],
      ...shownMetrics(report, Object.keys(report.metrics)).map(([name, value]) => [name, value]),
      ...(loss === null ? [] : [["loss", loss.toFixed(4)]]),
    ], ["left"]),
    ...(spans && spans.length > 0 ? ["", ...spanTable(spans, styles)] : []),
    ...(classes && confusion ? ["", ...classTable(classes, confusion, styles)] : []),
  ];
}

function spanTable(spans: readonly TypeScores[], { strong }: Styles): string[] {
  const [header, ...rows] = alignColumns([
    ["spans of", "number", "precision", "recall", "f1"],
    ...spans.map(({ type, spans, precision, recall, f1 }) => [
      type,
      grouped(spans),
      ...[precision, recall, f1].map((value) => value.toFixed(4)),
    ]),
  ], ["left", "right"]);
  return [strong(header), ...rows];
}

function classTable(classes: readonly ClassReport[], confusion: Confusion, { strong }: Styles): string[] {
  const matrix = classes.length <= MOST_COLUMNS;
  const places = matrix ? classes.map((_, index) => String(index)) : [];
  const [header, ...rows] = alignColumns([
    ["class", "", "examples", "accuracy", "f1", ...places],
    ...classes.map((own, index) => [
      String(index),
      own.label,
      grouped(own.examples),
      own.accuracy === null ? "-" : percent(own.accuracy),
      own.f1 === null ? "-" : own.f1.toFixed(4),
      ...(matrix ? confusion[index].map(grouped) : []),
    ]),
  ], ["right", "left", "right"]);
  return [
    strong(matrix ? `${header}  (taken for)` : header),
    ...rows,
    ...(matrix ? [] : ["", strong("most frequent mistakes"), ...frequentMistakes(classes, confusion)]),
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
