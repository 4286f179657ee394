/** Where a function on [0, 1] is looked at, and how much each place counts; the weights add up to 1. */
export interface Quadrature {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

/**
 * The Gauss-Legendre rule of so many points on [0, 1], which is exact for polynomials of degree up to 2 points - 1: the
 * zeros of the Legendre polynomial, by Newton's method from Tricomi's approximation.
 *
 * @throws RangeError unless there is at least one point
 */
export function gaussLegendre(points: number): Quadrature {
  if (!Number.isSafeInteger(points) || points < 1) {
    throw new RangeError(`Cannot integrate by ${points} points: a whole number from 1 up is needed`);
  }
  const [places, weights]: [number[], number[]] = [[], []];
  for (let index = 0; index < points; index++) {
    let x = Math.cos(Math.PI * (index + 0.75) / (points + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      const { value, derivative } = legendre(points, x);
      const change = value / derivative;
      x -= change;
      slope = derivative;
      if (Math.abs(change) < 1e-15) break;
    }
    places.push((1 - x) / 2);
    weights.push(1 / ((1 - x * x) * slope * slope));
  }
  return { places, weights };
}

/** The Legendre polynomial of a degree from 1 up, and its derivative, at a place within (-1, 1). */
function legendre(degree: number, x: number): { readonly value: number; readonly derivative: number } {
  let [before, value] = [1, x];
  for (let n = 2; n <= degree; n++) [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
  return { value, derivative: degree * (x * value - before) / (x * x - 1) };
}
