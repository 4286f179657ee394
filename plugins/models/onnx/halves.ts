/** The largest exponent's place, and the smallest positive half. */
const [BIAS, SMALLEST] = [15, 2 ** -24];

/** Below this, halves are multiples of the smallest. */
const SMALLEST_NORMAL = 2 ** -14;

/** From here on a number is nearer to infinity than to the largest half, 65504. */
const INFINITE = 65520;

/** The nearest half of a number, as its 16 bits. */
export function halfOf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= INFINITE) return sign | 0x7c00;
  if (size < SMALLEST_NORMAL) return sign | nearestEven(size / SMALLEST);
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent--;
  // A fraction that is rounded up to 1 counts in the exponent, which is what it should.
  return sign + ((exponent + BIAS) << 10) + nearestEven((size / 2 ** exponent - 1) * 1024);
}

/** The number of a half's bits. */
export function numberOf(half: number): number {
  const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * SMALLEST : (1 + fraction / 1024) * 2 ** (exponent - BIAS));
}

function nearestEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || rest === 0.5 && below % 2 === 1 ? below + 1 : below;
}
