/** What a run came to: the content of its `metrics.json`. */
export interface RunSummary {
  readonly recipe: string;
  readonly version: string;
  readonly backend: string;
  readonly device: string;
  readonly seed: number;
  /** Examples of each split. */
  readonly examples: { readonly train: number; readonly validation: number; readonly test: number };
  readonly teacher: { readonly accuracy: number; readonly loss: number; readonly parameters: number } | null;
  readonly student: {
    /** On the test set, merged. */
    readonly accuracy: number;
    readonly loss: number;
    readonly validationAccuracy: number | null;
    /** Numbers that were trained. */
    readonly parametersTraining: number;
    /** Numbers of the merged student. */
    readonly parametersInference: number;
    /** The first over the second. */
    readonly parameterIncreaseRate: number;
  };
  readonly merge: {
    /** Largest difference between logits of the factored student and the exported one, on the probe examples. */
    readonly maxAbsLogitDifference: number;
    readonly tolerance: number;
    readonly probe: number;
  };
  /** By stage; `total` is the whole run. */
  readonly seconds: Readonly<Record<string, number>> & { readonly total: number };
  readonly steps: number;
  readonly epochs: number;
  /** Most bytes of device memory that were in use at once. */
  readonly peakBytes: number;
  /** Mean of each loss, before its weight, over the last log line. */
  readonly losses: Readonly<Record<string, number>>;
  /** Frobenius norm of each over-parameterised matrix, merged. */
  readonly norms: Readonly<Record<string, number>>;
  /** SHA-256 of the student's weights file. */
  readonly studentSha256: string;
}
