import { UserError } from "../../core/errors.ts";

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };

/**
 * Reads `--budget`: `90s`, `30m`, `2h`, `1h30m`.
 *
 * @returns seconds
 * @throws UserError if it is none
 */
export function secondsIn(flag: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([hms])/g)];
  const seconds = parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit], 0);
  if (parts.map(([part]) => part).join("") === text && seconds > 0 && seconds < 1e8) return seconds;
  throw new UserError(`${flag} ${text}: Expected a time with its unit, as in 90s, 30m or 1h30m`);
}

/** A time as {@link secondsIn} reads it, rounded up: to whole minutes from two minutes on. */
export function budgetOf(seconds: number): string {
  if (seconds < 10) return `${Math.ceil(10 * seconds) / 10}s`;
  if (seconds < 120) return `${Math.ceil(seconds)}s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  return `${Math.floor(minutes / 60)}h${minutes % 60 === 0 ? "" : `${minutes % 60}m`}`;
}
