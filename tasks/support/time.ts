/** Seconds, or multiples of anything, that a user can mean; more is a slip of the pen. */
export const MOST = 1e7;

/** A number without sign or exponent, as a part of a pattern. */
export const NUMBER = String.raw`\d+(?:\.\d+)?|\.\d+`;

const TIME = new RegExp(`^(?:(${NUMBER})h)?(?:(${NUMBER})m)?(?:(${NUMBER})s)?$`);

/**
 * Reads a time with its units, from the longest: `90s`, `30m`, `.5h`, `1h30m`.
 *
 * @returns seconds, above 0; `null` if it is none
 */
export function secondsIn(text: string): number | null {
  const [, hours = 0, minutes = 0, seconds = 0] = TIME.exec(text.trim()) ?? [];
  const all = 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds);
  return all > 0 && all <= MOST ? all : null;
}

/** A time as {@link secondsIn} reads it, rounded up: to whole minutes from two minutes on. */
export function showTime(seconds: number): string {
  if (seconds < 10) return `${Math.ceil(10 * seconds) / 10}s`;
  if (seconds < 120) return `${Math.ceil(seconds)}s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  return `${Math.floor(minutes / 60)}h${minutes % 60 === 0 ? "" : `${minutes % 60}m`}`;
}

/** A time as its user may have written it, to the millisecond: `90s` and `1m30s` are one time, the latter is shown. */
export function exactTime(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds % 3600 / 60)];
  const rest = +(seconds % 60).toFixed(3);
  return [[hours, "h"], [minutes, "m"], [rest, "s"]].flatMap(([count, unit]) => count ? [`${count}${unit}`] : []).join(
    "",
  );
}
