import type { LabelledLogits } from "../logits.ts";

/** A temperature outside of this is of a model that says nothing, or of too few examples. */
const LEAST = 1e-3, MOST = 1e3;

/** How exact a temperature is, as a part of it. */
const EXACT = 1e-10;

/** Why there is no temperature that is best. */
export type NoTemperature = "always right" | "no better than chance";

/**
 * The temperature T by which softmax(logits / T) gives the labels the largest likelihood (Guo et al. 2017, arXiv
 * 1706.04599). In 1/T that is a convex problem of one number: its derivative rises, and where it is 0 is found by
 * Newton's steps, each halved into the interval that still holds the place if it leaves it.
 *
 * @param given of at least one example
 */
export function fitTemperature(given: LabelledLogits): number | NoTemperature {
  let [low, high] = [1 / MOST, 1 / LEAST];
  if (derivatives(given, low).first >= 0) return "no better than chance";
  if (derivatives(given, high).first <= 0) return "always right";
  let [beta, step] = [1, Infinity];
  while (step > EXACT * beta && high - low > EXACT * beta) {
    const { first, second } = derivatives(given, beta);
    if (first > 0) high = beta;
    else low = beta;
    const next = beta - first / second;
    // Geometric, as the interval spans orders of magnitude.
    const within = next >= low && next <= high ? next : Math.sqrt(low * high);
    step = Math.abs(within - beta);
    beta = within;
  }
  return 1 / beta;
}

/** Of the sum over examples of -log softmax(beta logits)[label], by beta: `sum E[z] - z_label` and `sum Var[z]`. */
function derivatives({ logits, labels, classes }: LabelledLogits, beta: number): { first: number; second: number } {
  let [first, second] = [0, 0];
  labels.forEach((label, row) => {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    const largest = own.reduce((most, logit) => Math.max(most, logit), -Infinity);
    let [sum, mean, squares] = [0, 0, 0];
    for (const logit of own) {
      const [below, power] = [logit - largest, Math.exp(beta * (logit - largest))];
      sum += power;
      mean += power * below;
      squares += power * below * below;
    }
    mean /= sum;
    first += mean - (own[label] - largest);
    second += squares / sum - mean * mean;
  });
  return { first, second };
}
