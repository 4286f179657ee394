import type { Floats } from "../../backend/backend.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import { expect } from "./check.ts";
import { largestOf, type Named, spread } from "./numbers.ts";

/**
 * For float64: the error of central differences goes with the step's square, and that of rounding with 1e-16 over it.
 * The finer ones are for where the value bends within the first.
 */
const STEPS = [1e-5, 1e-6, 1e-7, 1e-8, 1e-9];

/** What rounding may change a value by, over the value. */
const NOISE = 1e-12;

/**
 * Differences of two steps are not the same: the value bends or breaks within the larger one, as that of batch norm
 * over a few numbers that are nearly equal, and says nothing about the gradient there.
 */
export class Unsettled extends Error {
  static {
    this.prototype.name = "Unsettled";
  }
}

/** How a gradient is checked. */
export interface GradientCheck {
  /** The tensors to differentiate by; their numbers are changed for a while. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The gradients of the tape; what is not among them has none. */
  readonly gradients: Named;
  /** The scalar of now. */
  readonly value: () => Tensor;
  /** How many numbers of each tensor are tried. */
  readonly perTensor: number;
  /** Largest error, over the largest gradient. */
  readonly tolerance: number;
  /** Whether ever smaller steps are taken where differences do not settle. */
  readonly refine: boolean;
}

/**
 * Compares gradients with central differences of the value, in float64: at places spread over each tensor, and where
 * its gradient is largest.
 *
 * @returns how many numbers were compared
 * @throws Error that names the first number whose gradient is wrong, or says that there is no gradient at all
 * @throws Unsettled if differences show nothing
 */
export async function checkGradient(ops: Ops, check: GradientCheck): Promise<number> {
  const { tensors, gradients, value, perTensor, tolerance, refine } = check;
  const largest = Math.max(0, ...[...gradients.values()].map(largestOf));
  expect(largest > 0, "no gradient reaches what is trained");
  const isSame = (a: number, b: number) => Math.abs(a - b) <= tolerance * largest;
  const valueNow = async () => {
    const scalar = ops.scope(value);
    const [number] = await scalar.read();
    scalar.dispose();
    return number;
  };
  const noise = NOISE * Math.max(1, Math.abs(await valueNow()));
  let compared = 0;
  for (const [name, tensor] of tensors) {
    const numbers: Floats = Float64Array.from(await tensor.read());
    const gradient = gradients.get(name);
    for (const place of new Set([...spread(tensor.size, perTensor), ...(gradient ? [placeOfLargest(gradient)] : [])])) {
      const at = async (number: number) => {
        ops.backend.write(tensor.view, numbers.with(place, number));
        return await valueNow();
      };
      const difference = async (step: number) =>
        (await at(numbers[place] + step) - await at(numbers[place] - step)) / (2 * step);
      const analytic = gradient?.[place] ?? 0;
      const agree = (a: number, b: number, step: number) =>
        isSame(a, b) && (Math.abs(a - b) <= Math.max(Math.abs(a), Math.abs(b)) / 2 || Math.abs(a - b) * step <= noise);
      const found = await settled(difference, (found) => isSame(found, analytic), agree, refine);
      if (found === null) throw new Unsettled(`by ${name}[${place}] finite differences do not settle`);
      expect(
        isSame(found, analytic),
        `by ${name}[${place}] it is ${analytic.toPrecision(6)}, and ${found.toPrecision(6)} by finite differences`,
      );
      compared++;
    }
    ops.backend.write(tensor.view, numbers);
  }
  return compared;
}

/**
 * The difference of the first step if it is as expected, else that in which steps agree: two of them where they are as
 * expected, three where they are not, as a kink may lie within two.
 *
 * @param agree of the differences of a step and of the one before. To be near beside the largest gradient is not
 * enough: where a value is singular they grow as the steps shrink, and are all small beside a gradient of 1e11.
 * @returns `null` if they do not
 */
async function settled(
  difference: (step: number) => Promise<number>,
  isExpected: (found: number) => boolean,
  agree: (finer: number, before: number, step: number) => boolean,
  refine: boolean,
): Promise<number | null> {
  let [before, alike] = [await difference(STEPS[0]), 1];
  if (isExpected(before)) return before;
  for (const step of refine ? STEPS.slice(1) : STEPS.slice(1, 3)) {
    const finer = await difference(step);
    alike = agree(finer, before, step) ? alike + 1 : 1;
    if (alike === 3 || (refine && alike === 2 && isExpected(finer))) return finer;
    before = finer;
  }
  return null;
}

function placeOfLargest(numbers: Floats): number {
  let place = 0;
  for (let index = 1; index < numbers.length; index++) {
    if (Math.abs(numbers[index]) > Math.abs(numbers[place])) place = index;
  }
  return place;
}
