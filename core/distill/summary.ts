/** What a run came to: the content of its `metrics.json`. */
export interface RunSummary {
  /** The recipe's name. */
  readonly recipe: string;
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
  /** SHA-256 of each data file that was read, by its name in the recipe. */
  readonly dataSha256: Readonly<Record<string, string>>;
  /** The teacher on the test set; `null` without one. */
  readonly teacher: {
    /** `null` for a regression. */
    readonly accuracy: number | null;
    readonly loss: number;
    /** By name; see {@link Evaluation}. */
    readonly metrics: Readonly<Record<string, number>>;
    readonly parameters: number;
  } | null;
  /** The merged student. */
  readonly student: {
    /** On the test set, merged; `null` for a regression. */
    readonly accuracy: number | null;
    readonly loss: number;
    /** On the test set, by name: what the task is measured by. */
    readonly metrics: Readonly<Record<string, number>>;
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
  /** What losses reported at the end of the last epoch, by the loss's name; empty if none does. */
  readonly lossMetrics: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Frobenius norm of each over-parameterised matrix, merged. */
  readonly norms: Readonly<Record<string, number>>;
  /** SHA-256 of the student's weights file. */
  readonly studentSha256: string;
}
