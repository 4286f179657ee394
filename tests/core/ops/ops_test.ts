import assert from "node:assert/strict";
import type { Backend, Floats } from "../../../core/backend/backend.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { sizeOf, type Tensor } from "../../../core/tensor.ts";
import { float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import type { Case } from "./case.ts";
import { cases } from "./cases.ts";

/**
 * The operation in the middle of a graph: its inputs are scaled first, its output is weighted by fixed coefficients,
 * and every input reaches the loss by a second path too. A gradient that is only right at the end of a graph fails
 * here.
 */
function lossOf(ops: Ops, { call }: Case, inputs: readonly Tensor[]): { output: Tensor; loss: Tensor } {
  const output = call(ops, inputs.map((input) => ops.scale(input, 1.25)));
  const coefficients = ops.tensor(pseudoRandom(99, output.size, 0.5, 1.5), output.shape);
  const main = ops.sum(ops.multiply(output, coefficients));
  const loss = inputs.reduce((sum, input) => ops.add(sum, ops.scale(ops.sum(ops.square(input)), 0.3)), main);
  return { output, loss };
}

const valuesOf = ({ inputs }: Case): Float64Array[] =>
  inputs.map(({ shape, low = -1, high = 1 }, index) =>
    pseudoRandom(17 + index, sizeOf(shape), low, high).map((x) => x / 1.25)
  );

async function evaluate(backend: Backend, aCase: Case, values: readonly Float64Array[]): Promise<Floats[]> {
  const ops = createOps(backend);
  const kept = ops.scope(() => {
    const inputs = values.map((data, index) => ops.tensor(data, aCase.inputs[index].shape));
    let output: Tensor | undefined;
    const { loss, gradients } = ops.differentiate(() => {
      const result = lossOf(ops, aCase, inputs);
      output = result.output;
      return result.loss;
    }, inputs);
    return [loss, output!, ...gradients.map((gradient) => gradient!)];
  });
  const read = await ops.read(kept);
  kept.forEach((tensor) => tensor.dispose());
  assert.equal(backend.memory().storages, 0, "all storages are freed");
  return read;
}

/** The loss alone, for finite differences. */
async function lossAt(backend: Backend, aCase: Case, values: readonly Float64Array[]): Promise<number> {
  const ops = createOps(backend);
  const loss = ops.scope(() =>
    lossOf(ops, aCase, values.map((data, index) => ops.tensor(data, aCase.inputs[index].shape))).loss
  );
  const [value] = await loss.read();
  loss.dispose();
  return value;
}

for (const [name, list] of Object.entries(cases)) {
  testBackends(`${name}: the gradient agrees with finite differences`, async (backend) => {
    for (const [number, aCase] of list.entries()) {
      const values = valuesOf(aCase);
      const [, , ...gradients] = await evaluate(backend, aCase, values);
      const step = 1e-5;
      for (const [which, data] of values.entries()) {
        // At most 40 elements of an input, spread over it.
        const stride = Math.max(1, Math.floor(data.length / 40));
        for (let i = 0; i < data.length; i += stride) {
          const at = (x: number) =>
            lossAt(backend, aCase, values.map((other, index) => index === which ? other.with(i, x) : other));
          const numeric = (await at(data[i] + step) - await at(data[i] - step)) / (2 * step);
          const analytic = gradients[which][i];
          const error = Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric));
          assert.ok(error < 1e-6, `case ${number}, input ${which}, element ${i}: ${analytic} against ${numeric}`);
        }
      }
    }
  }, [float64]);

  testBackends(`${name}: value and gradient equal the float64 reference`, async (backend) => {
    const reference = await float64.open();
    for (const [number, aCase] of list.entries()) {
      const values = valuesOf(aCase);
      const expected = await evaluate(reference, aCase, values);
      const actual = await evaluate(backend, aCase, values);
      expected.forEach((part, index) => {
        const what = index === 0 ? "loss" : index === 1 ? "output" : `gradient of input ${index - 2}`;
        assertClose(actual[index], part, aCase.tolerance ?? 1e-5, `case ${number}: ${what}`);
      });
    }
    await reference.close();
  });
}
