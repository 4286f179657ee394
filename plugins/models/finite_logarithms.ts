/** The smallest normal float32: its logarithm stands for that of 0. */
export const SMALLEST: number = 2 ** -126;

/** The most that a float32 below 1 lacks: its logarithm stands for that of 0 where a probability is 1. */
export const LEAST_REST: number = 2 ** -24;
