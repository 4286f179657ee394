import { UserError } from "../../core/errors.ts";

/**
 * Reads a flag's whole number.
 *
 * @param flag for the message: `--cores`
 * @throws UserError if it is none, or below `least`
 */
export function wholeNumber(flag: string, text: string, least = 1): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new UserError(`${flag} ${text}: Expected a whole number from ${least}`);
}

/**
 * Reads a flag's list of whole numbers from 1: `32,1,24`.
 *
 * @throws UserError if it is none
 */
export function wholeNumbers(flag: string, text: string): number[] {
  const parts = text.replace(/^\[(.*)\]$/, "$1").split(",").map((part) => part.trim());
  const values = parts.map(Number);
  if (parts.every((part) => /^\d+$/.test(part)) && values.every((value) => value >= 1)) return values;
  throw new UserError(`${flag} ${text}: Expected whole numbers from 1 with commas between, as in 32,1,24`);
}

/**
 * Reads a flag's number.
 *
 * @param range what it must be, for the message: `a number above 1`
 * @param isInRange whether it is that
 * @throws UserError if it is not
 */
export function numberInRange(
  flag: string,
  text: string,
  range: string,
  isInRange: (value: number) => boolean,
): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && isInRange(value)) return value;
  throw new UserError(`${flag} ${text}: Expected ${range}`);
}
