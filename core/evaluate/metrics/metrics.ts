import type { HostTensor, InputDescription } from "../../plugin/dataset.ts";
import { accuracyOf, type Confusion, confusionOf, f1Of, matthewsOf } from "./confusion.ts";
import { pearson, spearman } from "./correlation.ts";
import { markSpans, spanScoresOf } from "./spans.ts";

/** The names of what a task with so many classes is measured by, the most usual first. */
export function metricNames({ task, classes }: Pick<InputDescription, "task" | "classes">): readonly string[] {
  if (task === "regression") return ["pearson", "spearman"];
  if (task === "tagging") return markSpans(classes) ? ["f1", "accuracy"] : ["accuracy"];
  // Of many classes accuracy says most; of two, which may be of very unequal size, it does not.
  return classes.length === 2 ? ["accuracy", "f1", "matthews"] : ["accuracy"];
}

/**
 * What a task is measured by. F1 of tags that mark spans is that of whole spans (see `spanScores`).
 *
 * @param labels of each batch
 * @param predictions of each batch, as many numbers as there are labels
 */
export function metricsOf(
  { task, classes }: Pick<InputDescription, "task" | "classes">,
  labels: readonly HostTensor[],
  predictions: readonly ArrayLike<number>[],
): { readonly metrics: Readonly<Record<string, number>>; readonly confusion: Confusion | null } {
  const truth = labels.flatMap(({ data }) => Array.from(data));
  const decided = predictions.flatMap((numbers) => Array.from(numbers));
  if (task === "regression") {
    return { metrics: { pearson: pearson(decided, truth), spearman: spearman(decided, truth) }, confusion: null };
  }
  const confusion = confusionOf(truth, decided, classes.length);
  const accuracy = accuracyOf(confusion);
  if (task === "tagging") {
    const spans: Readonly<Record<string, number>> = markSpans(classes)
      ? { f1: spanScoresOf(labels, predictions, classes).f1 }
      : {};
    return { metrics: { ...spans, accuracy }, confusion };
  }
  const finer: Readonly<Record<string, number>> = classes.length === 2
    ? { f1: f1Of(confusion), matthews: matthewsOf(confusion) }
    : {};
  return { metrics: { accuracy, ...finer }, confusion };
}
