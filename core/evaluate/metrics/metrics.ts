import { UserError } from "../../errors.ts";
import type { HostTensor, InputDescription } from "../../plugin/dataset.ts";
import { accuracyOf, type Confusion, confusionOf, f1Macro, f1Of, matthewsOf } from "./confusion.ts";
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
  if (task === "tagging") return [...(schemeOf(classes) ? ["f1", "accuracy"] : ["accuracy"]), "f1Macro", "f1Micro"];
  // Of many classes accuracy says most; of two, which may be of very unequal size, it does not.
  return [
    "accuracy",
    ...(positiveClassOf(data, positive) === null ? [] : ["f1"]),
    ...(classes.length === 2 ? ["matthews"] : []),
    "f1Macro",
    "f1Micro",
  ];
}

/** All that a task is measured by. */
export interface Metrics {
  /** By name, in the order of {@link metricNames}. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The class that `f1` is of; `null` where it is not that of a class. */
  readonly positiveClass: string | null;
  /** `null` for a regression. */
  readonly confusion: Confusion | null;
  /** The scores of each type of spans; `null` unless tags mark spans. */
  readonly spans: readonly TypeScores[] | null;
}

/**
 * What a task of one class for each example or token, or of a number, is measured by. `f1` of a classification is that
 * of one class, and of tags that mark spans that of whole spans (see `spanScores`); `f1Macro` is the mean over classes
 * or types of spans, `f1Micro` counts all together, which for one class an example is the accuracy.
 *
 * @param labels of each batch
 * @param predictions of each batch, as many numbers as there are labels
 * @param positive the class whose F1 is asked for; `null`: the second of two
 */
export function metricsOf(
  data: Data,
  labels: readonly HostTensor[],
  predictions: readonly ArrayLike<number>[],
  positive: ClassName | null = null,
): Metrics {
  const { task, classes } = data;
  const truth = labels.flatMap(({ data }) => Array.from(data));
  const decided = predictions.flatMap((numbers) => Array.from(numbers));
  if (task === "regression") {
    const metrics = { pearson: pearson(decided, truth), spearman: spearman(decided, truth) };
    return { metrics, positiveClass: null, confusion: null, spans: null };
  }
  const confusion = confusionOf(truth, decided, classes.length);
  const positiveClass = positiveClassOf(data, positive);
  const scheme = task === "tagging" ? schemeOf(classes) : null;
  const spans = scheme && spanScoresOf(labels, predictions, classes, scheme);
  const accuracy = accuracyOf(confusion);
  const values: Readonly<Record<string, () => number>> = {
    accuracy: () => accuracy,
    f1: () => spans ? spans.f1 : f1Of(confusion, classes.indexOf(positiveClass!)),
    matthews: () => matthewsOf(confusion),
    f1Macro: () => spans ? macroOf(spans.types) : f1Macro(confusion),
    f1Micro: () => spans ? spans.f1 : accuracy,
  };
  const metrics = Object.fromEntries(metricNames(data, positive).map((name) => [name, values[name]()]));
  return { metrics, positiveClass, confusion, spans: spans && spans.types };
}

function macroOf(types: readonly TypeScores[]): number {
  return types.length === 0 ? 0 : types.reduce((sum, { f1 }) => sum + f1, 0) / types.length;
}
