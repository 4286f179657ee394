import { erf } from "../../core/kernels/erf.ts";

/** Published: rounds of the iteration, and the sum of changes under which it ends. */
const ROUNDS = 20;
const SMALL_CHANGE = 1e-3;

/** Places at which the noise of one logit is looked at. Of a smooth function that falls off as fast, sums are exact. */
const STEP = 1 / 8;
const PLACES = Array.from({ length: 129 }, (_, index) => (index - 64) * STEP);
const DENSITY = PLACES.map((place) => STEP * Math.exp(-place * place / 2) / Math.sqrt(2 * Math.PI));

const normal = (x: number) => (1 + erf(x / Math.SQRT2)) / 2;

/**
 * How often each of some logits is the largest where independent normal noise of deviation 1 is added to all of them:
 * P_i = integral of phi(t) prod_(j != i) Phi(t + z_i - z_j) dt, phi and Phi the normal density and its integral.
 */
export function decisionShares(logits: readonly number[]): number[] {
  return logits.map((own, i) => {
    let share = 0;
    for (const [at, place] of PLACES.entries()) {
      let smaller = DENSITY[at];
      for (const [j, other] of logits.entries()) if (j !== i) smaller *= normal(place + own - other);
      share += smaller;
    }
    return share;
  });
}

/**
 * Logits under which noise would lead to such decisions (Zhou et al., ACL 2023, arXiv 2306.08909): a root of P(z) = p
 * by the iteration z <- z + p - P(z), from z = p on.
 *
 * Where a class was never decided for, or always, there is no root: its logit would be infinite. The published code
 * ends after 20 rounds, or when the logits change by less than 0.001 together, and so does this: how far an unanimous
 * vote goes is what 20 rounds make of it.
 *
 * @param shares of all decisions those for each class; their sum is 1
 */
export function logitsOfDecisions(shares: readonly number[]): number[] {
  let logits = [...shares];
  for (let round = 0; round < ROUNDS; round++) {
    const expected = decisionShares(logits);
    const next = logits.map((logit, i) => logit + shares[i] - expected[i]);
    const change = next.reduce((sum, logit, i) => sum + Math.abs(logit - logits[i]), 0);
    logits = next;
    if (change <= SMALL_CHANGE) break;
  }
  return logits;
}
