/** The answers of one bin: those whose probabilities are alike. */
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

/** A probability, and whether it came true. */
export interface CertainAnswer {
  readonly p: number;
  readonly right: boolean;
}

const BINS = 15;

/** In bins of equal width: equal parts of 0 to 1. @returns `null` of no answers */
export function calibrationOf(answers: readonly CertainAnswer[]): Calibration | null {
  return binned(answers, Array.from(answers, ({ p }) => Math.min(Math.floor(p * BINS), BINS - 1)), BINS);
}

/**
 * In bins of equal mass: as many answers in each, in the order of their probabilities (Nixon et al. 2019, arXiv
 * 1904.01685). Answers of one probability stay together, or their order would be a matter of chance.
 *
 * @returns `null` of no answers
 */
export function equalMassCalibration(answers: readonly CertainAnswer[]): Calibration | null {
  const sorted = answers.toSorted((a, b) => a.p - b.p);
  const bins: number[] = [];
  sorted.forEach(({ p }, rank) => {
    const isTied = rank > 0 && sorted[rank - 1].p === p;
    bins.push(isTied ? bins[rank - 1] : Math.floor(rank * BINS / sorted.length));
  });
  return binned(sorted, bins, BINS);
}

function binned(answers: readonly CertainAnswer[], binOf: readonly number[], count: number): Calibration | null {
  if (answers.length === 0) return null;
  const sums = Array.from({ length: count }, () => ({ count: 0, certainty: 0, right: 0 }));
  answers.forEach(({ p, right }, at) => {
    const bin = sums[binOf[at]];
    bin.count++;
    bin.certainty += p;
    if (right) bin.right++;
  });
  const bins = sums.map(({ count, certainty, right }) => {
    return { count, certainty: certainty / Math.max(count, 1), right: right / Math.max(count, 1) };
  });
  const apart = bins.reduce((sum, { count, certainty, right }) => sum + count * Math.abs(certainty - right), 0);
  return { bins, error: apart / answers.length };
}
