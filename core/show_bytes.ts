const UNITS = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]] as const;

/** An amount of bytes for people, to three digits in decimal units: `640 bytes`, `79.2 kB`, `2.25 MB`. */
export function showBytes(bytes: number): string {
  // What rounds to a thousand of a unit is one of the next.
  const found = UNITS.find(([, size]) => bytes >= 0.9995 * size);
  if (!found) return `${bytes} bytes`;
  const [unit, size] = found;
  const digits = { minimumSignificantDigits: 3, maximumSignificantDigits: 3 };
  return `${(bytes / size).toLocaleString("en-US", digits)} ${unit}`;
}
