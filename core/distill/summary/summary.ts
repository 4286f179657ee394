import type { LabelScores } from "../../evaluate/metrics/class_scores.ts";
import type { TypeScores } from "../../evaluate/metrics/spans.ts";
import type { LossScale } from "../../nn/grad_scaler.ts";
import type { OnnxFile } from "../../onnx/export_model.ts";
import type { SkippedExamples } from "../../plugin/dataset.ts";
import type { Truncated } from "../student/factors/truncate_weights.ts";

/** A run's result: the content of its `metrics.json`. */
export interface RunSummary {
  /** The recipe's name. */
  readonly recipe: string;
  /** The run's id, which all files of its folder have. */
  readonly run: string;
  /** The version of the program. */
  readonly version: string;
  /** `webgpu` or `cpu`. */
  readonly backend: string;
  /** The adapter or the instruction set. */
  readonly device: string;
  /** The seed of all random numbers. */
  readonly seed: number;
  /** Examples of each split. */
  readonly examples: { readonly train: number; readonly validation: number; readonly test: number };
  /** How many of them have a label; what is measured by labels is of these alone. */
  readonly labelled: { readonly train: number; readonly validation: number; readonly test: number };
  /** How many test examples are copies of training examples; missing where the data set does not tell copies. */
  readonly testCopies?: number;
  /** Training labels that were made wrong on purpose; missing where the recipe wants none. */
  readonly wrongLabels?: number;
  /** Examples that the data set left out, by file; see `onBad` of data sets of texts. */
  readonly skipped: readonly SkippedExamples[];
  /** SHA-256 of each data file that was read, by its name in the recipe. */
  readonly dataSha256: Readonly<Record<string, string>>;
  /** The class that `f1` is of in all metrics; `null` where it is not that of a class. */
  readonly positiveClass: string | null;
  /** The teacher on the test set, one that learns as it is in the end; `null` without one. */
  readonly teacher: {
    /** `null` for a regression, and where no test example has a label. */
    readonly accuracy: number | null;
    /** `null` where no test example has a label. */
    readonly loss: number | null;
    /** By name: what the task is measured by. */
    readonly metrics: Readonly<Record<string, number>>;
    /** The scores of each class; `null` for a regression, and where no test example has a label. */
    readonly classes: readonly LabelScores[] | null;
    readonly parameters: number;
  } | null;
  /** The merged student, or of factors the one that is exported. */
  readonly student: {
    /** On the test set, merged; `null` for a regression, and where no test example has a label. */
    readonly accuracy: number | null;
    /** `null` where no test example has a label. */
    readonly loss: number | null;
    /** On the test set, by name: what the task is measured by. */
    readonly metrics: Readonly<Record<string, number>>;
    /** On the test set, of each class or tag; `null` for a regression, and where no test example has a label. */
    readonly classes: readonly LabelScores[] | null;
    /** On the test set, the scores of each type of spans that tags mark; `null` where they mark none. */
    readonly spans: readonly TypeScores[] | null;
    readonly validationAccuracy: number | null;
    /** On the training examples, without augmentation, if `evaluate.train` asks for them. */
    readonly trainMetrics: Readonly<Record<string, number>> | null;
    readonly validationMetrics: Readonly<Record<string, number>> | null;
    /** Numbers that were trained. */
    readonly parametersTraining: number;
    /** Numbers of the merged student. */
    readonly parametersInference: number;
    /** The first over the second. */
    readonly parameterIncreaseRate: number;
  };
  /** What was taken away of the student, where its recipe prunes it. */
  readonly pruning?: {
    /** What went first: `magnitude`, `random` or `movement`. */
    readonly method: string;
    /** `unstructured`, `channels`, or how many weights stay of each group: `2:4`. */
    readonly structure: string;
    /** Numbers of the exported student, less the zeros in these weights. */
    readonly nonZeros: number;
    /** Of each weight with a mask its numbers, and those that are not zero. */
    readonly weights: Readonly<Record<string, { readonly numbers: number; readonly nonZeros: number }>>;
    /** Channels of each of the student's inner widths; none where no channels went. */
    readonly widths: Readonly<Record<string, readonly [before: number, after: number]>>;
  };
  /** What was cut of the student, where its recipe keeps factors. */
  readonly factors?: {
    /** By weight: the rank, the full one, and how far the product of the factors is from the weight. */
    readonly weights: Readonly<Record<string, Truncated>>;
    /** Largest difference between logits before the cut and after it, on the probe examples. */
    readonly maxAbsLogitDifference: number;
  };
  /** The check that merging changed nothing. */
  readonly merge: {
    /** Largest difference between logits of the factored student and the exported one, on the probe examples. */
    readonly maxAbsLogitDifference: number;
    readonly tolerance: number;
    readonly probe: number;
  };
  /** By stage; `total` is the whole run. */
  readonly seconds: Readonly<Record<string, number>> & { readonly total: number };
  /** Training steps done. */
  readonly steps: number;
  /** The same in epochs. */
  readonly epochs: number;
  /** Most bytes of device memory that were in use at once. */
  readonly peakBytes: number;
  /** Mean of each loss, before its weight, over the last log line. */
  readonly losses: Readonly<Record<string, number>>;
  /** The metrics that losses reported at the end of the last epoch, by the loss's name; empty if none does. */
  readonly lossMetrics: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** How activations and their gradients were kept in training. */
  readonly precision: "f32" | "f16";
  /** Of `f16`: the loss's scale and the steps skipped for it, at the last log line; else `null`. */
  readonly lossScale: LossScale | null;
  /** Frobenius norm of each over-parameterised matrix, merged. */
  readonly norms: Readonly<Record<string, number>>;
  /** SHA-256 of the student's weights file. */
  readonly studentSha256: string;
  /** Bytes of that file. */
  readonly studentBytes: number;
  /** The student in other formats, where the recipe asks for them. */
  readonly export?: {
    /** The ONNX files, in `student-onnx`. */
    readonly onnx: readonly OnnxFile[];
  };
}
