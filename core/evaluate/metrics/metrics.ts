import { UserError } from "../../errors.ts";
import type { HostTensor, InputDescription } from "../../plugin/dataset.ts";
import { areaUnderRoc } from "./auc.ts";
import { AVERAGES, averagesOf, type LabelScores, labelScores, scoresOf } from "./class_scores.ts";
import { accuracyOf, type Confusion, confusionOf, countsOf, matthewsOf } from "./confusion.ts";
import { pearson, spearman } from "./correlation.ts";
import { SEVERAL_LABEL_METRICS } from "./several_labels.ts";
import { schemeOf, spanScoresOf, type TypeScores } from "./spans.ts";

type Data = Pick<InputDescription, "task" | "classes">;

/** The name of a class as YAML reads it. */
export type ClassName = string | number | boolean;

/**
 * The class whose F1 is called `f1`: the one that is asked for, or else the second of two classes; `null` where `f1` is
 * not that of a class.
 *
 * @throws UserError if there is no such class, or the task has none
 */
export function positiveClassOf({ task, classes }: Data, wanted: ClassName | null = null): string | null {
  if (wanted === null) return task === "classification" && classes.length === 2 ? classes[1] : null;
  if (task !== "classification") {
    throw new UserError(`Cannot take the F1 of the class "${wanted}" in a ${task}: it is for a classification`);
  }
  const name = String(wanted).trim();
  if (classes.includes(name)) return name;
  const known = classes.length > 12 ? `${classes.slice(0, 12).join(", ")} and others` : classes.join(", ");
  throw new UserError(`Unknown class "${name}": the data set has ${known}`);
}

/**
 * The names of what a task with so many classes is measured by, the most usual first.
 *
 * @param positive the class whose F1 is asked for; `null`: the second of two
 */
export function metricNames(data: Data, positive: ClassName | null = null): readonly string[] {
  const { task, classes } = data;
  if (task === "regression") return ["pearson", "spearman"];
  if (task === "embedding") return ["spearman", "pearson"];
  if (task === "multi-label") return SEVERAL_LABEL_METRICS;
  if (task === "tagging") {
    return [...(schemeOf(classes) ? ["f1", "accuracy", "precision", "recall"] : ["accuracy"]), ...AVERAGES];
  }
  // Of many classes accuracy says most; of two, which may be of very unequal size, it does not.
  return [
    "accuracy",
    ...(positiveClassOf(data, positive) === null ? [] : ["f1"]),
    ...(classes.length === 2 ? ["matthews", "auc"] : []),
    ...(positiveClassOf(data, positive) === null ? [] : ["precision", "recall"]),
    ...AVERAGES,
  ];
}

/** All that a task is measured by. */
export interface Metrics {
  /** By name, in the order of {@link metricNames}; without `auc` where all examples are of one class. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The class that `f1` is of; `null` where it is not that of a class. */
  readonly positiveClass: string | null;
  /** `null` for a regression. */
  readonly confusion: Confusion | null;
  /** The scores of each class, or of each tag; `null` for a regression. */
  readonly classes: readonly LabelScores[] | null;
  /** The scores of each type of spans; `null` unless tags mark spans. */
  readonly spans: readonly TypeScores[] | null;
}

/**
 * What a task of one class for each example or token, or of a number, is measured by. `f1`, `precision` and `recall` of
 * a classification are those of one class, and of tags that mark spans those of whole spans (see `spanScores`), and so
 * are their means over classes or types of spans ({@link averagesOf}); `Micro` is the accuracy where each example has
 * one class.
 *
 * @param labels of each batch
 * @param predictions of each batch, as many numbers as there are labels
 * @param positive the class whose F1 is asked for; `null`: the second of two
 * @param scores of two classes how much each example looks like one of the second, on any scale; `null`: not known,
 * and no `auc`
 */
export function metricsOf(
  data: Data,
  labels: readonly HostTensor[],
  predictions: readonly ArrayLike<number>[],
  positive: ClassName | null = null,
  scores: readonly ArrayLike<number>[] | null = null,
): Metrics {
  const { task, classes } = data;
  const truth = labels.flatMap(({ data }) => Array.from(data));
  const decided = predictions.flatMap((numbers) => Array.from(numbers));
  if (task === "regression") {
    const metrics = { pearson: pearson(decided, truth), spearman: spearman(decided, truth) };
    return { metrics, positiveClass: null, confusion: null, classes: null, spans: null };
  }
  const confusion = confusionOf(truth, decided, classes.length);
  const counts = countsOf(confusion);
  const positiveClass = positiveClassOf(data, positive);
  const scheme = task === "tagging" ? schemeOf(classes) : null;
  const spans = scheme && spanScoresOf(labels, predictions, classes, scheme);
  const one = spans ?? (positiveClass === null ? null : scoresOf(counts[classes.indexOf(positiveClass)]));
  const looks = scores?.flatMap((numbers) => Array.from(numbers));
  const values: Readonly<Record<string, number | null>> = {
    accuracy: accuracyOf(confusion),
    ...one && { f1: one.f1, precision: one.precision, recall: one.recall },
    matthews: matthewsOf(confusion),
    auc: looks ? areaUnderRoc(looks, truth.map((label) => label === 1)) : null,
    ...(spans ? spans.averages : averagesOf(counts)),
  };
  const known = metricNames(data, positive).flatMap((name): [string, number][] => {
    const value = values[name];
    return value === null ? [] : [[name, value]];
  });
  return {
    metrics: Object.fromEntries(known),
    positiveClass,
    confusion,
    classes: counts.map((own, label) => labelScores(classes[label], own)),
    spans: spans && spans.types,
  };
}
