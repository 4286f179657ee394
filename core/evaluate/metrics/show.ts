import type { Evaluation } from "../evaluate.ts";
import { visible } from "../../visible.ts";
import { AVERAGES } from "./class_scores.ts";

type Labels = Partial<Pick<Evaluation, "examples" | "labelled">>;
type Measured = Pick<Evaluation, "metrics"> & Partial<Pick<Evaluation, "positiveClass">> & Labels;

/** Metrics that say little beside the others: shown where all are asked for. */
const FURTHER: ReadonlySet<string> = new Set(["auc", "precision", "recall", ...AVERAGES]);

/** Those of them that are among what is usual of several labels. */
const OF_SEVERAL: readonly string[] = ["f1Macro", "f1Micro"];

/** A metric's name to a person; F1 of a class names it. `null` for one that is shown only where it is asked for. */
export function titleOf(name: string, positiveClass: string | null, also: readonly string[] = []): string | null {
  if (FURTHER.has(name) && !also.includes(name)) return null;
  if (name === "auc") return "AUC";
  const [, score, average] = /^(f1|precision|recall)(Macro|Micro|Weighted)?$/.exec(name) ?? [];
  if (average) return `${score}, ${average.toLowerCase()}`;
  return score && positiveClass !== null ? `${score} of ${visible(positiveClass)}` : name;
}

/** A metric's value in a line: an accuracy in percent, all others as they are. */
export function showMetric(name: string, value: number): string {
  return name === "accuracy" ? `${(100 * value).toFixed(2)} %` : value.toFixed(4);
}

/**
 * The metrics by name, as a person reads them.
 *
 * @param also the further ones that are wanted; the usual ones are always there
 */
export function shownMetrics(
  { metrics, positiveClass = null }: Measured,
  also: readonly string[] = [],
): [name: string, value: string][] {
  const wanted = "mAP" in metrics ? [...also, ...OF_SEVERAL] : also;
  return Object.entries(metrics).flatMap(([name, value]): [string, string][] => {
    const title = titleOf(name, positiveClass, wanted);
    if (title === null) return [];
    return [[title, showMetric(name, value)]];
  });
}

/** `accuracy 91.20 %, f1 of spam 0.9034`, and of how many examples where not all have a label. */
export function showMetrics(evaluation: Measured, also: readonly string[] = []): string {
  const shown = shownMetrics(evaluation, also).map(([name, value]) => `${name} ${value}`);
  return [...shown, ...labelNote(evaluation)].join(", ");
}

/** What is to be said where not all examples have a label: `no labels`, `labels for 12 of 240`. */
export function labelNote({ examples = 0, labelled = examples }: Labels): string[] {
  if (labelled === examples) return [];
  return [labelled === 0 ? "no labels" : `labels for ${labelled} of ${examples}`];
}
