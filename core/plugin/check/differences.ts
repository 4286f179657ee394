import type { Floats } from "../../backend/backend.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import { expect } from "./check.ts";
import { largestOf, type Named, spread } from "./numbers.ts";

/** For float64: the error of central differences goes with its square, and that of rounding with 1e-16 over it. */
const STEP = 1e-5;

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
}

/**
 * Compares gradients with central differences of the value, in float64.
 *
 * @returns how many numbers were compared
 * @throws Error that names the first number whose gradient is wrong, or says that there is no gradient at all
 */
export async function checkGradient(ops: Ops, check: GradientCheck): Promise<number> {
  const { tensors, gradients, value, perTensor, tolerance } = check;
  const largest = Math.max(0, ...[...gradients.values()].map(largestOf));
  expect(largest > 0, "no gradient reaches what is trained");
  const valueNow = async () => {
    const scalar = ops.scope(value);
    const [number] = await scalar.read();
    scalar.dispose();
    return number;
  };
  let compared = 0;
  for (const [name, tensor] of tensors) {
    const numbers: Floats = Float64Array.from(await tensor.read());
    const gradient = gradients.get(name);
    for (const place of spread(tensor.size, perTensor)) {
      const at = async (number: number) => {
        ops.backend.write(tensor.view, numbers.with(place, number));
        return await valueNow();
      };
      const difference = (await at(numbers[place] + STEP) - await at(numbers[place] - STEP)) / (2 * STEP);
      const analytic = gradient?.[place] ?? 0;
      expect(
        Math.abs(analytic - difference) <= tolerance * largest,
        `by ${name}[${place}] it is ${analytic.toPrecision(6)}, and ${difference.toPrecision(6)} by finite differences`,
      );
      compared++;
    }
    ops.backend.write(tensor.view, numbers);
  }
  return compared;
}
