/** A part of a whole in percent: `87.40 %`; `-` where there is none. */
export function percentOf(part: number | null): string {
  return part === null ? "-" : `${(100 * part).toFixed(2)} %`;
}
