/** One look at a running training. */
export interface ProgressLine {
  /** Steps done and steps in all. */
  readonly step: number;
  readonly totalSteps: number;
  /** Counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Means since the last line. */
  readonly loss: number;
  readonly accuracy: number;
  readonly examplesPerSecond: number;
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
