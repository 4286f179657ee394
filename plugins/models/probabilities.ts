import type { HostTensor } from "../../core/plugin/dataset.ts";
import { LEAST_REST, SMALLEST } from "./finite_logarithms.ts";

/** How far from 1 the sum of probabilities may be. */
const TOLERANCE = 1e-3;

/** Whether the last dimension has numbers from 0 up whose sum is 1. */
export function areProbabilities({ data, shape }: HostTensor): boolean {
  const classes = shape.at(-1)!;
  for (let begin = 0; begin < data.length; begin += classes) {
    const row = data.subarray(begin, begin + classes);
    const sum = row.reduce((sum, value) => sum + value, 0);
    if (row.some((value) => value < 0) || !(Math.abs(sum - 1) <= TOLERANCE)) return false;
  }
  return true;
}

/** Whether all numbers are probabilities, each of its own. */
export function areParts({ data }: HostTensor): boolean {
  return data.every((value) => value >= 0 && value <= 1);
}

/** log(p / (1 - p)) of these, which is finite: the sigmoid's inverse. */
export function logOdds({ data, shape }: HostTensor): HostTensor {
  const odds = data.map((value) => Math.log(Math.max(value, SMALLEST)) - Math.log(Math.max(1 - value, LEAST_REST)));
  return { shape, data: odds };
}

/** Their logarithms, which are finite. */
export function logarithms({ data, shape }: HostTensor): HostTensor {
  return { shape, data: data.map((value) => Math.log(Math.max(value, SMALLEST))) };
}
