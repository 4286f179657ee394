export { erf } from "./erf.ts";

// The WGSL functions that the elementwise table may use, and `isNan`, under the same names for JavaScript.

export const { exp, log, sqrt, abs, sign, tanh, min, max } = Math;

export const isNan = Number.isNaN;

/** NaN, which a shader makes of a number's bits. */
export const nanFrom = (_x: number): number => NaN;

/** The nearest number from `low` to `high`. */
export function clamp(x: number, low: number, high: number): number {
  return min(max(x, low), high);
}

/** WGSL has the value for a condition that holds last. */
export function select(otherwise: number, value: number, condition: boolean): number {
  return condition ? value : otherwise;
}
