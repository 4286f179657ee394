import { titleOf } from "../../core/evaluate/metrics/show.ts";
import type { Experiment, Scalar } from "./experiment.ts";
import { finished, type FinishedRun, metricName, type Outcome, scoreOf } from "./outcome.ts";
import type { RowResult } from "./run_grid.ts";
import { type Difference, differenceOf, type Moments, momentsOf } from "./statistics.ts";

/** One line of an experiment's table: a row over its seeds. Metrics are parts of 1. */
export interface RowStatistics {
  readonly name: string;
  /** The tuned value that it was run with; `null` without tuning, or if no value trains. */
  readonly value: Scalar | null;
  /** The name of the metric that rows are compared by. */
  readonly metric: string;
  /** Test examples, and how many of them have a label; `null` without a run that says it, as old ones do not. */
  readonly labels: { readonly examples: number; readonly labelled: number } | null;
  /** Training labels that the recipe makes wrong on purpose, of those that there are; `null` where it makes none. */
  readonly wrongLabels: { readonly wrong: number; readonly labelled: number } | null;
  /** Epochs that a share of time allowed, or `null`. */
  readonly epochs: number | null;
  readonly failed: number;
  /** Of those the ones that nobody could do. */
  readonly givenUp: number;
  readonly test: Moments | null;
  readonly validation: Moments | null;
  /** The class that `f1` is of; `null` where it is not that of a class. */
  readonly positiveClass: string | null;
  /** The task's other usual metrics on the test examples, by name. */
  readonly others: Readonly<Record<string, Moments | null>>;
  /** On the training examples without augmentation, if the recipe asks for them. */
  readonly train: Moments | null;
  readonly parametersTraining: number | null;
  readonly parametersInference: number | null;
  readonly parameterIncreaseRate: number | null;
  /** Seconds of training. */
  readonly seconds: Moments | null;
  /** The same by epoch. */
  readonly secondsPerEpoch: Moments | null;
  /** The most of any of the runs. */
  readonly peakBytes: number | null;
  /** What the student is at inference; `null` of a row whose runs all failed. */
  readonly inference: InferenceStatistics | null;
  /** Of the test metric to the baseline's; `null` for the baseline itself. */
  readonly difference: Difference | null;
  /** The same of runs with fresh seeds, where the row or the baseline was run with some; else `null`. */
  readonly confirmed: { readonly test: Moments | null; readonly difference: Difference | null } | null;
  readonly diagnostics: DiagnosticsStatistics | null;
}

/** What a row's students take at inference, means over seeds. */
export interface InferenceStatistics {
  /** Whether more is to be told than the student's parameters: some run prunes, keeps factors, or exports. */
  readonly special: boolean;
  /** Parameters less the zeros of pruned weights. */
  readonly nonZeros: number;
  /** Bytes of the weights file; `null` of an old run, which does not say it. */
  readonly bytes: number | null;
  /** Of the first ONNX file: its bytes, and milliseconds for an example in onnxruntime on one thread, and here. */
  readonly onnx: { readonly bytes: number; readonly milliseconds: number; readonly own: number } | null;
}

/** How training changed the weights, over matrices and seeds. */
export interface DiagnosticsStatistics {
  /** Mean over epochs of ||W - W_0|| / ||W_0||, W_0 from one epoch before. */
  readonly relativeStep: number | null;
  /** After the last epoch. */
  readonly effectiveRank: number;
  readonly largestSingularValue: number;
  readonly agreement: number | null;
}

const mean = (values: readonly number[]) => momentsOf(values)?.mean ?? null;

/**
 * The lines of a table, differences to the baseline included.
 *
 * @param which the runs with each row's chosen value, or those with the common one
 */
export function rowStatistics(
  { baseline, tune }: Experiment,
  results: readonly RowResult[],
  which: "runs" | "common" = "runs",
): RowStatistics[] {
  const lines = results.map((result) => {
    const value = which === "common" ? tune!.common : result.tuned?.chosen ?? null;
    const line = statisticsOf(result, result[which] ?? [], value);
    const fresh = which === "runs" ? result.confirmed : undefined;
    return fresh ? { ...line, confirmed: { test: statisticsOf(result, fresh, value).test, difference: null } } : line;
  });
  const reference = lines.find(({ name }) => name === baseline);
  return lines.map((line) => {
    // An accuracy and an agreement with a teacher are two things.
    const comparable = line !== reference && line.metric === reference?.metric;
    const to = (row: Moments | null | undefined, base: Moments | null | undefined) =>
      comparable && row && base ? differenceOf(row, base) : null;
    const { confirmed } = line;
    return {
      ...line,
      difference: to(line.test, reference?.test),
      confirmed: confirmed && { ...confirmed, difference: to(confirmed.test, reference?.confirmed?.test) },
    };
  });
}

function statisticsOf({ name, epochs }: RowResult, outcomes: readonly Outcome[], value: Scalar | null): RowStatistics {
  const runs = finished(outcomes);
  const first = runs.at(0)?.summary;
  const metric = first ? metricName(first) : "accuracy";
  const over = (of: (run: FinishedRun) => number) => momentsOf(runs.map(of).filter((number) => !Number.isNaN(number)));
  return {
    name,
    value,
    metric,
    labels: first?.labelled ? { examples: first.examples.test, labelled: first.labelled.test } : null,
    wrongLabels: first?.wrongLabels === undefined ? null : { wrong: first.wrongLabels, labelled: first.labelled.train },
    epochs,
    failed: outcomes.length - runs.length,
    givenUp: outcomes.filter((outcome) => "failure" in outcome && outcome.givenUp).length,
    test: over(({ summary }) => scoreOf(summary.student.metrics, metric)),
    validation: over(({ summary }) => scoreOf(summary.student.validationMetrics, metric)),
    positiveClass: first?.positiveClass ?? null,
    others: Object.fromEntries(
      Object.keys(first?.student.metrics ?? {}).slice(1).filter((name) => titleOf(name, null) !== null).map((name) => [
        name,
        over(({ summary }) => summary.student.metrics[name]),
      ]),
    ),
    train: over(({ summary }) => scoreOf(summary.student.trainMetrics, metric)),
    parametersTraining: first?.student.parametersTraining ?? null,
    parametersInference: first?.student.parametersInference ?? null,
    parameterIncreaseRate: first?.student.parameterIncreaseRate ?? null,
    seconds: over(({ summary }) => summary.seconds.train),
    secondsPerEpoch: over(({ summary }) => summary.seconds.train / summary.epochs),
    peakBytes: first ? Math.max(...runs.map(({ summary }) => summary.peakBytes)) : null,
    inference: inferenceOf(runs),
    difference: null,
    confirmed: null,
    diagnostics: diagnosticsOf(runs),
  };
}

function inferenceOf(runs: readonly FinishedRun[]): InferenceStatistics | null {
  const summaries = runs.map(({ summary }) => summary);
  const files = summaries.flatMap((summary) => summary.export?.onnx?.[0] ?? []);
  if (summaries.length === 0) return null;
  return {
    special: files.length > 0 || summaries.some(({ pruning, factors }) => pruning || factors),
    nonZeros: mean(summaries.map(({ pruning, student }) => pruning?.nonZeros ?? student.parametersInference))!,
    bytes: mean(summaries.flatMap(({ studentBytes }) => studentBytes ?? [])),
    onnx: files.length === 0 ? null : {
      bytes: mean(files.map(({ bytes }) => bytes))!,
      milliseconds: mean(files.map(({ milliseconds }) => milliseconds.onnx))!,
      own: mean(files.map(({ milliseconds }) => milliseconds.own))!,
    },
  };
}

function diagnosticsOf(runs: readonly FinishedRun[]): DiagnosticsStatistics | null {
  const looked = runs.filter(({ diagnostics }) => diagnostics.length > 0);
  if (looked.length === 0) return null;
  const all = looked.flatMap(({ diagnostics }) => diagnostics.flatMap(({ matrices }) => Object.values(matrices)));
  const last = looked.map(({ diagnostics }) => diagnostics.at(-1)!);
  const atEnd = last.flatMap(({ matrices }) => Object.values(matrices));
  return {
    relativeStep: mean(all.flatMap(({ relativeStep }) => relativeStep === null ? [] : [relativeStep])),
    effectiveRank: mean(atEnd.map(({ effectiveRank }) => effectiveRank))!,
    largestSingularValue: mean(atEnd.map(({ singularValues }) => singularValues[0]))!,
    agreement: mean(last.flatMap(({ agreement }) => agreement === null ? [] : [agreement])),
  };
}
