import { type Calibration, calibrationOf, equalMassCalibration } from "../../evaluate/metrics/calibration.ts";
import { decisionsIn, type LabelledLogits } from "../logits.ts";

/** How far the probabilities that a model gives to classes are to be believed. */
export interface CalibrationScores {
  /** Part of the examples that are right. */
  readonly accuracy: number;
  /** Mean of -log of the right class's probability, in nats. */
  readonly nll: number;
  /**
   * Mean of the squared distance of the probabilities of all classes to what is right, 0 to 2 (Brier 1950); of two
   * classes it is twice what scikit-learn's `brier_score_loss` gives for one of them.
   */
  readonly brier: number;
  /** In bins of equal width, of the largest probability. */
  readonly equalWidth: Calibration;
  /** The same in bins of equal mass. */
  readonly equalMass: Calibration;
}

/**
 * Scores of probabilities softmax(logits / temperature), in float64.
 *
 * @param given of at least one example
 */
export function calibrationScores({ logits, labels, classes }: LabelledLogits, temperature: number): CalibrationScores {
  const decided = decisionsIn(logits, classes);
  const answers: { p: number; right: boolean }[] = [];
  let [nll, brier] = [0, 0];
  labels.forEach((label, row) => {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    const largest = own[decided[row]];
    const powers = own.map((logit) => Math.exp((logit - largest) / temperature));
    const sum = powers.reduce((total, power) => total + power, 0);
    nll += Math.log(sum) - (own[label] - largest) / temperature;
    powers.forEach((power, c) => brier += (power / sum - (c === label ? 1 : 0)) ** 2);
    answers.push({ p: 1 / sum, right: decided[row] === label });
  });
  const count = labels.length;
  return {
    accuracy: answers.filter(({ right }) => right).length / count,
    nll: nll / count,
    brier: brier / count,
    equalWidth: calibrationOf(answers)!,
    equalMass: equalMassCalibration(answers)!,
  };
}
