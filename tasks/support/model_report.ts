import type { Backend } from "../../core/backend/backend.ts";
import type { RunData } from "../../core/distill/load_data.ts";
import { UserError } from "../../core/errors.ts";
import type { Evaluation } from "../../core/evaluate/evaluate.ts";
import { measuredNotes } from "../../core/evaluate/metrics/class_scores.ts";
import type { Examples } from "../../core/plugin/dataset.ts";
import { listWords } from "../../core/recipe/words.ts";
import type { ModelReport } from "./class_table.ts";

/** What a report says beside the numbers. */
interface ReportFacts extends Pick<ModelReport, "model" | "architecture" | "recipe" | "split"> {
  readonly backend: Backend;
}

/** A report of what was measured. */
export function reportOf(result: Evaluation, { backend, ...facts }: ReportFacts): ModelReport {
  const { loss, metrics, classes, confusion, spans } = result;
  return {
    ...facts,
    backend: backend.name,
    examples: result.examples,
    labelled: result.labelled,
    loss,
    positiveClass: result.positiveClass,
    metrics,
    classes: classes && classes.map((own) => ({ ...own, accuracy: own.examples === 0 ? null : own.recall })),
    confusion,
    spans,
    notes: measuredNotes(classes, spans),
  };
}

/** The run's own splits, and what else the data set has, such as MNLI's `mismatched`. */
export function splitOf({ train, validation, test, dataset }: RunData, name: string): Examples {
  const splits = new Map(Object.entries({ ...dataset.splits, train, test, ...(validation && { validation }) }));
  const examples = splits.get(name);
  if (examples) return examples;
  const known = listWords([...splits.keys()], "or");
  if (name === "validation") {
    throw new UserError(`--split validation: The recipe takes no validation examples: expected ${known}`);
  }
  throw new UserError(`--split ${name}: Expected ${known}`);
}
