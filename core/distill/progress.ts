/** One look at a running training. */
export interface ProgressLine {
  /** Steps done and steps in all. */
  readonly step: number;
  /** Steps of the whole training. */
  readonly totalSteps: number;
  /** Counted from 1. */
  readonly epoch: number;
  /** Epochs of the whole training. */
  readonly epochs: number;
  /** Means since the last line. */
  readonly loss: number;
  /** Part of the training examples with a label, or tokens, that were predicted right; `null` where there is none. */
  readonly accuracy: number | null;
  /** Training examples per second. */
  readonly examplesPerSecond: number;
  /** Seconds that the remaining steps will take at this speed. */
  readonly secondsLeft: number;
}

/** Where a run tells what it does; the command line prints it, a program may do as it likes. */
export interface Reporter {
  /** A fact worth a line. */
  line(text: string): void;
  /** Something the user should change. */
  warning(text: string): void;
  /** Replaces the progress before it. */
  progress(line: ProgressLine): void;
}

/** A reporter that says nothing. */
export const silent: Reporter = { line: () => {}, warning: () => {}, progress: () => {} };
