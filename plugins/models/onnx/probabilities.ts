import type { HostTensor } from "../../../core/plugin/dataset.ts";

/** The smallest normal float32: its logarithm stands for that of 0. */
const SMALLEST = 2 ** -126;

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

/** The most that a float32 below 1 lacks: its logarithm stands for that of 0 where p is 1. */
const LEAST_REST = 2 ** -24;

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
