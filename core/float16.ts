/** Floating-point numbers of 16 bits. `Float16Array` is younger than many engines in use. */

/** A mantissa's unit in the last place is 2 to this, and the exponent's, in the smallest numbers. */
const SMALLEST = -24;

const value64 = new Float64Array(1), words = new Uint32Array(value64.buffer);

/** The bits of the nearest number of 16 bits, of two the even one; NaN's are 0x7e00. */
export function float16BitsOf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  value64[0] = value;
  const sign = words[1] >>> 16 & 0x8000;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // Of numbers that are not normal in 64 bits the exponent is below all that 16 bits have, too.
  const exponent = Math.max((words[1] >>> 20 & 0x7ff) - 1023, -14);
  const mantissa = size / 2 ** (exponent - 10);
  const whole = Math.floor(mantissa), rest = mantissa - whole;
  const rounded = whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0);
  // A normal number's leading bit adds 1 to the exponent, and so does a mantissa that was rounded up to a power of 2.
  return sign | ((exponent + 14) << 10) + rounded;
}

/** The number that 16 bits stand for. */
function numberOf(bits: number): number {
  const exponent = bits >>> 10 & 31, mantissa = bits & 1023;
  const size = exponent === 31
    ? mantissa === 0 ? Infinity : NaN
    : exponent === 0
    ? mantissa * 2 ** SMALLEST
    : (mantissa + 1024) * 2 ** (exponent - 1 + SMALLEST);
  return bits & 0x8000 ? -size : size;
}

let numbers: Float32Array | null = null;

/** The numbers that bits stand for, which float32 has exactly. */
export function float16ToFloat32(halves: Uint16Array): Float32Array<ArrayBuffer> {
  numbers ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => numberOf(bits));
  const converted = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) converted[i] = numbers[halves[i]];
  return converted;
}
