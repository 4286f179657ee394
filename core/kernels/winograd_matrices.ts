import skeleton from "../../shaders/winograd.wgsl" with { type: "text" };

/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[];

/**
 * Where the polynomials behind the algorithm are evaluated, and infinity. Closer together than the usual 0, 1, -1, 2,
 * -2, which makes a third of their rounding error.
 */
const POINTS = [0, 0.75, -0.75, 1.5, -1.5];

/** Pixels of a square's result along an axis, taps of the filter along an axis, and points: 4 + 3 - 1. */
export const RESULT = 4;
const TAPS = 3;
const SIDE = POINTS.length + 1;

/** How many products stand for a square: its points. */
export const SQUARES = SIDE ** 2;

/** Coefficients of the product of x - root, from the constant on. */
const polynomial = (roots: readonly number[]): number[] =>
  roots.reduce<number[]>((product, root) => {
    const times = [0, ...product];
    product.forEach((value, power) => times[power] -= root * value);
    return times;
  }, [1]);

const others = (index: number) => POINTS.filter((_, other) => other !== index);
const padded = (row: readonly number[]) => [...row, ...Array<number>(SIDE - row.length).fill(0)];
const powers = (x: number, count: number) => Array.from({ length: count }, (_, power) => x ** power);
const last = (count: number) => padded([]).slice(0, count).with(-1, 1);
const transposed = (matrix: Matrix) => matrix[0].map((_, column) => matrix.map((row) => row[column]));

/**
 * Values at the points of a polynomial with `count` coefficients, each divided by the distances between its point and
 * the others.
 */
const evaluation = (count: number): Matrix => [
  ...POINTS.map((point, index) => {
    const distances = others(index).reduce((product, other) => product * (point - other), 1);
    return powers(point, count).map((power) => power / distances);
  }),
  last(count),
];

/** From values at the points to `count` results. */
const interpolation = (count: number): Matrix =>
  transposed([...POINTS.map((point) => powers(point, count)), last(count)]);

/**
 * The matrices of the Toom-Cook algorithm as Winograd's convolution uses it (Lavin and Gray 2016, arXiv 1509.09308):
 * with the squares `pixels` of an image and a filter, the correlation is `result ((filter F) * (pixels P))`,
 * elementwise, for every matrix from both sides. A filter's gradient is the correlation with `RESULT` x `RESULT` of the
 * gradient in the filter's place.
 */
export const matrices = {
  pixels: [...POINTS.map((_, index) => padded(polynomial(others(index)))), polynomial(POINTS)],
  filter: evaluation(TAPS),
  result: interpolation(RESULT),
  gradient: evaluation(RESULT),
  filterGradient: interpolation(TAPS),
} satisfies Record<string, Matrix>;

/** A product with a row of coefficients, in WGSL. */
function weighted(coefficients: readonly number[], name: (index: number) => string): string {
  const terms = coefficients.map((value, index) => {
    const literal = Number.isInteger(value) ? `${value}.0` : `${value}`;
    return value === 0 ? "" : value === 1 ? name(index) : `${literal} * ${name(index)}`;
  });
  return terms.filter((term) => term !== "").join(" + ");
}

/** A switch over the cases of a number, the last one standing for all others. */
function cases(list: readonly string[]): string {
  const labels = list.map((_, index) => index === list.length - 1 ? "default" : `case ${index}u`);
  return `switch (i) {\n${list.map((body, index) => `    ${labels[index]}: { ${body} }`).join("\n")}\n  }`;
}

/** The shader that multiplies squares by a matrix from both sides; `places` says where their numbers stand. */
export function squareShader(matrix: Matrix, places: string): string {
  const [results, lines] = [matrix.length, matrix[0].length];
  const indices = [...Array(results).keys()];
  const list = (values: readonly string[]) => `array<f32, ${results}>(${values.join(", ")})`;
  const numbers = transposed(matrix).map((column) => list(column.map((value) => `f32(${value})`)));
  const sum = (row: number) => list(indices.map((column) => `sum${row}${column}`));
  const sums = indices.flatMap((row) => indices.map((column) => `sum${row}${column}`));
  const matrixCode = `
const LINES = ${lines}u;
const RESULTS = ${results}u;

${sums.map((name) => `var<private> ${name}: f32;`).join("\n")}

fn addLine(i: u32, x: array<f32, ${lines}>) {
  let y = ${list(matrix.map((row) => weighted(row, (index) => `x[${index}]`)))};
  var c: array<f32, ${results}>;
  ${cases(numbers.map((column) => `c = ${column};`))}
${indices.flatMap((row) => indices.map((column) => `  sum${row}${column} += c[${row}] * y[${column}];`)).join("\n")}
}

fn resultLine(i: u32) -> array<f32, ${results}> {
  ${cases(indices.map((row) => `return ${sum(row)};`))}
}
`;
  return [matrixCode, skeleton, places].join("\n");
}

/** The same on the host: `result(i, j, value)` is called for each number of L S L^T. */
export function multiplySquare(
  matrix: Matrix,
  square: (i: number, j: number) => number,
  result: (i: number, j: number, value: number) => void,
): void {
  const side = [...matrix[0].keys()];
  const lines = side.map((i) => {
    const line = side.map((j) => square(i, j));
    return matrix.map((row) => row.reduce((sum, value, j) => sum + value * line[j], 0));
  });
  matrix.forEach((row, i) =>
    matrix.forEach((_, j) => result(i, j, row.reduce((sum, value, k) => sum + value * lines[k][j], 0)))
  );
}
