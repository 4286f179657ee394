/** How a test ended in a browser. */
export interface Outcome {
  readonly name: string;
  readonly status: "passed" | "failed" | "ignored";
  /** What went wrong; `null` unless it failed. */
  readonly message: string | null;
  readonly milliseconds: number;
}
