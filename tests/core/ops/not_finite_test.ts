import assert from "node:assert/strict";
import type { Backend, Floats } from "../../../core/backend/backend.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { sizeOf, type Tensor } from "../../../core/tensor.ts";
import { float64, testBackends } from "../../support/backends.ts";
import { pseudoRandom } from "../../support/numbers.ts";
import type { Case } from "./case.ts";
import { cases } from "./cases.ts";

/** One input with one number replaced. */
interface Variant {
  readonly input: number;
  readonly value: number;
  readonly values: readonly Float64Array[];
}

const BAD = [NaN, Infinity, -Infinity];

/** Every input of a case with each of the numbers in it: at the front, in the middle or at the end, case by case. */
function variantsOf({ inputs }: Case, number: number, numbers: readonly number[]): Variant[] {
  const usual = inputs.map(({ shape, low = -1, high = 1 }, index) =>
    pseudoRandom(17 + index, sizeOf(shape), low, high)
  );
  return usual.flatMap((data, input) => {
    const place = [0, Math.floor(data.length / 2), data.length - 1][number % 3];
    return numbers.map((value) => ({ input, value, values: usual.with(input, data.with(place, value)) }));
  });
}

/** Output and gradients of each variant, read in one wait. */
async function evaluate(backend: Backend, { inputs, call }: Case, variants: readonly Variant[]): Promise<Floats[][]> {
  const ops = createOps(backend);
  const kept = variants.map(({ values }) =>
    ops.scope(() => {
      const tensors = values.map((data, index) => ops.tensor(data, inputs[index].shape));
      let output: Tensor | undefined;
      const { gradients } = ops.differentiate(() => ops.sum(output = call(ops, tensors)), tensors);
      return [output!, ...gradients.map((gradient) => gradient!)];
    })
  );
  const read = await ops.read(kept.flat());
  kept.flat().forEach((tensor) => tensor.dispose());
  return kept.map((tensors) => read.splice(0, tensors.length));
}

/**
 * Whether NaN and infinities may reach further than in the reference: Winograd's convolution adds and subtracts all of
 * a tile, and a row of a softmax that is NaN is NaN where it is masked too.
 */
const SPREADS = new Set(["conv2d", "maskedSoftmax"]);

/** The backends order `(x - mean) weight / deviation` differently, of which one gives `Infinity - Infinity`. */
const isOrderDependent = (name: string, { input, value }: Variant) =>
  name === "batchNorm" && input === 1 && !Number.isNaN(value);

function fits(actual: number, expected: number, spreads: boolean): boolean {
  if (Number.isNaN(expected)) return !Number.isFinite(actual);
  if (!Number.isFinite(expected)) return actual === expected || Number.isNaN(actual) && spreads;
  return Math.abs(actual - expected) <= 1e-4 * Math.max(1, Math.abs(expected)) || spreads && !Number.isFinite(actual);
}

for (const [name, list] of Object.entries(cases)) {
  testBackends(
    `${name}: what is NaN or infinite in float64 is not hidden, and nothing else becomes so`,
    async (backend) => {
      const reference = await float64.open();
      for (const [number, aCase] of list.entries()) {
        const variants = variantsOf(aCase, number, BAD).filter((variant) => !isOrderDependent(name, variant));
        const expected = await evaluate(reference, aCase, variants);
        const actual = await evaluate(backend, aCase, variants);
        variants.forEach(({ input, value }, v) =>
          expected[v].forEach((part, p) =>
            part.forEach((wanted, i) => {
              const what = p === 0 ? "the output" : `the gradient of input ${p - 1}`;
              const found = actual[v][p][i];
              const nanStays = !Number.isNaN(value) || !Number.isNaN(wanted) || Number.isNaN(found);
              assert.ok(
                nanStays && fits(found, wanted, SPREADS.has(name)),
                `case ${number}, input ${input} with ${value}: element ${i} of ${what} is ${found}, in float64 ${wanted}`,
              );
            })
          )
        );
      }
      await reference.close();
    },
  );

  testBackends(`${name}: an output that depends on a number is NaN where that is`, async (backend) => {
    for (const [number, aCase] of list.entries()) {
      const outputs = await evaluate(backend, aCase, variantsOf(aCase, number, [-900, 900, NaN]));
      for (let input = 0; input < aCase.inputs.length; input++) {
        const [low, high, bad] = outputs.slice(3 * input).map(([output]) => output);
        const depends = low.some((value, i) => value !== high[i] && !(Number.isNaN(value) && Number.isNaN(high[i])));
        assert.ok(bad.some(Number.isNaN) || !depends, `case ${number}, input ${input}`);
      }
    }
  }, [float64]);
}
