/** The answers whose probability lies in one of equal parts of 0 to 1. */
export interface CalibrationBin {
  readonly count: number;
  /** The mean of the probabilities; 0 if there are none. */
  readonly certainty: number;
  /** The part of them that came true; 0 if there are none. */
  readonly right: number;
}

/** How far probabilities are to be believed. */
export interface Calibration {
  readonly bins: readonly CalibrationBin[];
  /**
   * The expected calibration error: the mean over answers of how far certainty and part right of their bin are apart
   * (Guo et al. 2017, arXiv 1706.04599).
   */
  readonly error: number;
}

const BINS = 15;

/** @param answers a probability, and whether it came true @returns `null` of none */
export function calibrationOf(answers: readonly { readonly p: number; readonly right: boolean }[]): Calibration | null {
  if (answers.length === 0) return null;
  const sums = Array.from({ length: BINS }, () => ({ count: 0, certainty: 0, right: 0 }));
  for (const { p, right } of answers) {
    const bin = sums[Math.min(Math.floor(p * BINS), BINS - 1)];
    bin.count++;
    bin.certainty += p;
    if (right) bin.right++;
  }
  const bins = sums.map(({ count, certainty, right }) => {
    return { count, certainty: certainty / Math.max(count, 1), right: right / Math.max(count, 1) };
  });
  const apart = bins.reduce((sum, { count, certainty, right }) => sum + count * Math.abs(certainty - right), 0);
  return { bins, error: apart / answers.length };
}
