/** Round numbers that cover a range, about `count` of them. */
export function ticks(least: number, most: number, count: number): number[] {
  const rough = (most - least) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough)!;
  // Adding 0 makes 0 of -0.
  const first = Math.ceil(least / step - 1e-9) + 0;
  const values: number[] = [];
  for (let index = first; index * step <= most + step * 1e-9; index++) values.push(index * step);
  return values;
}
