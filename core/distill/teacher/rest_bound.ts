import type { KeptOutput } from "./collected_outputs.ts";
import { bytesOfRow, keptOf, type TopLogitsSetup } from "./top_logits.ts";

/**
 * What the logits that are not kept come to at one temperature T, over the rows that losses count: the examples, or the
 * tokens that have a label.
 */
export interface RestBound {
  readonly temperature: number;
  /** The mean of their probability, P. */
  readonly mean: number;
  /** The largest. */
  readonly most: number;
  /**
   * T^2 KL by what is kept is below that by all logits, in the mean over rows, by at most `constant + slope D`, in
   * nats: D is the largest range, over the rows, of the student's logits outside of those kept.
   */
  readonly constant: number;
  /** T times the mean of P. */
  readonly slope: number;
  /** The same for T^2 times the Jensen-Shannon divergence, whatever the student's logits are. */
  readonly jensenShannon: number;
}

/**
 * What is lost by keeping the largest logits. With K the kept classes, p and q the softened distributions of teacher
 * and student, P and Q their sums over the other classes and p' = p / P, q' = q / Q there, the chain rule of the
 * divergence gives
 *
 * KL(p || q) = [sum_(c in K) p_c log(p_c / q_c) + P log(P / Q)] + P KL(p' || q').
 *
 * The bracket is what is learned from what is kept: exact, and too small by P KL(p' || q') >= 0. There KL(p' || q') =
 * sum_c p'_c log p'_c - sum_c p'_c log q'_c. No p'_c is above min(1, m / P), m the smallest p_c that is kept, so that
 * the first sum is at most log min(1, m / P). With s the student's logits, -log q'_c = log sum_j exp((s_j - s_c) / T)
 * is at most log(C - k) + D / T, D the largest less the smallest of s over the C - k other classes. Together
 *
 * 0 <= T^2 (KL - bracket) <= T^2 P log((C - k) min(1, m / P)) + T P D,
 *
 * of which all but D is known where the logits are kept. The gradient by the student's logits is exact at the kept
 * classes, and at the others off by T P (p'_c - q'_c), in sum of absolute values at most 2 T P, whatever the student
 * is.
 *
 * The Jensen-Shannon divergence is (KL(p || m) + KL(q || m)) / 2, m = (p + q) / 2. Each of its parts has a bracket as
 * above, and what the two lack together, (P KL(p' || m') + Q KL(q' || m')) / 2, is (P + Q) / 2 times the divergence of
 * p' and q' with the weights P / (P + Q) and Q / (P + Q), which is at most the entropy of these (Lin 1991). So
 *
 * 0 <= JS - bracket <= (P log((P + Q) / P) + Q log((P + Q) / Q)) / 2 <= log 2 (P + Q) / 2,
 *
 * which grows with Q. Of any student it is at most what it is at Q = 1, ((1 + P) log(1 + P) - P log P) / 2. Where one
 * class alone is not kept, nothing is lost.
 *
 * @param scored 1 for each row that losses count, else 0; `null`: they count all. Of none all numbers are 0.
 */
export function restBound(
  outputs: ReadonlyMap<string, KeptOutput>,
  { count, classes }: TopLogitsSetup,
  temperature: number,
  scored: Uint8Array | null,
): RestBound {
  const { values, rest } = keptOf(outputs, temperature);
  let [rows, sum, most, constant, jensenShannon] = [0, 0, 0, 0, 0];
  for (let row = 0; row < rest.length; row++) {
    if (scored?.[row] === 0) continue;
    rows++;
    const own = values.subarray(row * count, (row + 1) * count);
    let [largest, least] = [rest[row], Infinity];
    for (const value of own) {
      largest = Math.max(largest, value / temperature);
      least = Math.min(least, value / temperature);
    }
    let total = Math.exp(rest[row] - largest);
    for (const value of own) total += Math.exp(value / temperature - largest);
    const others = Math.exp(rest[row] - largest) / total;
    sum += others;
    most = Math.max(most, others);
    constant += others * Math.max(0, Math.log(classes - count) + Math.min(0, least - rest[row]));
    if (others > 0 && classes - count > 1) {
      jensenShannon += ((1 + others) * Math.log1p(others) - others * Math.log(others)) / 2;
    }
  }
  rows = Math.max(rows, 1);
  const mean = sum / rows;
  return {
    temperature,
    mean,
    most,
    constant: temperature ** 2 * constant / rows,
    slope: temperature * mean,
    jensenShannon: temperature ** 2 * jensenShannon / rows,
  };
}

/**
 * What is kept and what is lost by it, in lines for the user.
 *
 * @param scored as {@link restBound} has it; not `null` where rows are tokens
 */
export function describeTopLogits(
  outputs: ReadonlyMap<string, KeptOutput>,
  setup: TopLogitsSetup,
  scored: Uint8Array | null,
): string[] {
  const { count, classes, temperatures } = setup;
  const [kept, all] = bytesOfRow(setup);
  const form = `teacher: kept are the ${count} largest of ${classes} logits, ${kept} bytes of ${all}`;
  if (scored && !scored.includes(1)) {
    return [form, "teacher: no token of these examples has a label, so that nothing is learned of the logits"];
  }
  const mean = scored ? "in the mean over the tokens with a label" : "in the mean";
  return [
    form,
    ...temperatures.map((temperature) => {
      const bound = restBound(outputs, setup, temperature, scored);
      return `teacher: at temperature ${temperature} the other classes have ${
        percent(bound.mean)
      } of the probability ` +
        `${mean}, ${percent(bound.most)} at most; in the mean kd loses at most ${short(bound.constant)} + ` +
        `${short(bound.slope)} D of what it is by all logits, D the largest range of the student's logits of other ` +
        `classes, and jensen-shannon at most ${short(bound.jensenShannon)}`;
    }),
  ];
}

const percent = (share: number) => `${short(100 * share)} %`;
const short = (value: number) => value === 0 ? "0" : value.toPrecision(3);
