import type { Floats } from "../../core/backend/backend.ts";
import type { NumberFormat } from "../../core/backend/format.ts";
import type { Ops } from "../../core/ops/ops.ts";
import { sizeOf, type Tensor } from "../../core/tensor.ts";
import type { Case } from "../core/ops/case.ts";
import { assertClose, pseudoRandom } from "./numbers.ts";

/** Eight of float16's roundings: operations that are made of others round more than once, and differences grow. */
const TOLERANCE = 2 ** -8;

/** The output and the gradients of an operation whose inputs, results and gradients are kept in a format. */
async function evaluate(ops: Ops, { call, inputs }: Case, values: readonly Float16Array[], format: NumberFormat) {
  let stored: NumberFormat = "f32";
  const kept = ops.scope(() => {
    const tensors = values.map((data, index) => ops.device.inFormat(ops.tensor(data, inputs[index].shape), format));
    let output: Tensor | undefined;
    const { gradients } = ops.differentiate(() => {
      output = ops.device.storeActivations(format, () => call(ops, tensors));
      return ops.sum(ops.multiply(output, ops.tensor(pseudoRandom(99, output.size, 0.5, 1.5), output.shape)));
    }, tensors);
    stored = output!.format;
    return [output!, ...gradients.map((gradient) => gradient!)];
  });
  const numbers: Floats[] = await ops.read(kept);
  kept.forEach((tensor) => tensor.dispose());
  return { numbers, stored };
}

/**
 * Checks that an operation gives on float16 what it gives on float32 of the same numbers, but for rounding.
 *
 * @returns the format of its result
 * @throws AssertionError if it does not
 */
export async function checkOnF16(ops: Ops, aCase: Case, name: string, seed = 17): Promise<NumberFormat> {
  const values = aCase.inputs.map(({ shape, low, high }, index) =>
    new Float16Array(pseudoRandom(seed + index, sizeOf(shape), low, high))
  );
  const expected = await evaluate(ops, aCase, values, "f32");
  const actual = await evaluate(ops, aCase, values, "f16");
  expected.numbers.forEach((part, index) => {
    const what = index === 0 ? "output" : `gradient of input ${index - 1}`;
    assertClose(actual.numbers[index], part, TOLERANCE, `${name}: ${what}`);
  });
  return actual.stored;
}
