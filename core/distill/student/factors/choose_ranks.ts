import { sizeOf } from "../../../tensor.ts";
import { countAt, type FactorPlan, fullRank, statedRank } from "./factor_plan.ts";

/**
 * The rank of each weight of a plan. Where the plan says how many numbers are left, those singular values stay that
 * count for most by the numbers they take: squared, as parts of their matrix's squared norm, over rows and columns.
 *
 * @param plan with shapes and what is wanted
 * @param spectra the singular values of each weight's matrix, descending
 * @param others numbers of the student outside of these weights
 * @returns from 1 to the full rank; without the weights that would not be smaller as factors
 */
export function chooseRanks(
  { weights, rank, parameters }: FactorPlan,
  spectra: ReadonlyMap<string, ArrayLike<number>>,
  others: number,
): Map<string, number> {
  const all = rank === null
    ? withinCount(weights, spectra, parameters! - others)
    : new Map([...weights].map(([name, shape]) => [name, statedRank(rank, shape)]));
  return new Map([...all].filter(([name, own]) => {
    const shape = weights.get(name)!;
    return countAt(shape, own) < sizeOf(shape);
  }));
}

function withinCount(
  weights: FactorPlan["weights"],
  spectra: ReadonlyMap<string, ArrayLike<number>>,
  count: number,
): Map<string, number> {
  const worths = new Map([...weights].map(([name, shape]) => {
    const squares = Float64Array.from(spectra.get(name)!, (value) => value * value);
    const size = squares.reduce((sum, square) => sum + square, 0) * countOfRank(shape);
    return [name, squares.slice(0, fullRank(shape)).map((square) => size === 0 ? 0 : square / size)] as const;
  }));
  const ranksAt = (least: number) =>
    new Map(
      [...worths].map(([name, own]) => [name, Math.max(1, own.reduce((sum, worth) => sum + +(worth >= least), 0))]),
    );
  const countOf = (ranks: ReadonlyMap<string, number>) =>
    [...ranks].reduce((sum, [name, own]) => sum + countAt(weights.get(name)!, own), 0);
  const steps = [...new Set([...worths.values()].flatMap((own) => [...own]))].sort((a, b) => b - a);
  // The more steps are taken the more numbers there are; before the first each weight has rank 1.
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (countOf(ranksAt(steps[middle - 1])) <= count) low = middle;
    else high = middle - 1;
  }
  return ranksAt(low === 0 ? Infinity : steps[low - 1]);
}

/** How many numbers one more singular value takes. */
const countOfRank = (shape: readonly number[]) => shape[0] + sizeOf(shape.slice(1));
