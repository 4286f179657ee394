import assert from "node:assert/strict";
import type { Student } from "../../../core/distill/student/student.ts";
import type { Ops } from "../../../core/ops/ops.ts";
import type { ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { pseudoRandom } from "../../support/numbers.ts";

/**
 * Asserts that an encoder's gradients agree with finite differences, for three numbers of every weight. The loss has a
 * part in logits, hidden states, attention and values, so that no path is left out.
 *
 * @param ops in float64
 * @param forward one pass in training, the same draws each time
 */
export async function assertGradients(ops: Ops, student: Student, forward: () => ModelOutputs): Promise<void> {
  const targets = [...student.plain.tensors];
  const loss = () => {
    const { logits, hidden, attention, relations } = forward();
    const weighted = (tensor: Tensor, seed: number) =>
      ops.sum(ops.multiply(tensor, ops.tensor(pseudoRandom(seed, tensor.size), tensor.shape)));
    const terms = [logits, hidden[0], hidden[1], attention[1], relations![0].values];
    return terms.map(weighted).reduce((sum, term) => ops.add(sum, term));
  };
  const { gradients } = ops.differentiate(loss, targets.map(([, tensor]) => tensor));
  const step = 1e-5;
  for (const [index, [name, tensor]] of targets.entries()) {
    const values = Float64Array.from(await tensor.read());
    const analytic = await gradients[index]!.read();
    for (const at of new Set([0, values.length >> 1, values.length - 1])) {
      const lossAt = async (value: number) => {
        ops.backend.write(tensor.view, values.with(at, value));
        return (await ops.scope(loss).read())[0];
      };
      const numeric = (await lossAt(values[at] + step) - await lossAt(values[at] - step)) / (2 * step);
      ops.backend.write(tensor.view, values);
      const error = Math.abs(analytic[at] - numeric) / Math.max(1, Math.abs(numeric));
      assert.ok(error < 1e-6, `${name}, element ${at}: ${analytic[at]} against ${numeric}`);
    }
  }
}
