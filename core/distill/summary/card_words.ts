/** A number with its thousands apart. */
export const grouped = (number: number) => number.toLocaleString("en");

/** A number with its noun. */
export const counted = (number: number, one: string, many = `${one}s`) =>
  `${grouped(number)} ${number === 1 ? one : many}`;

/** A part of 1 in hundredths. */
export const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
