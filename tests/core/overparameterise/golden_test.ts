import { createOps } from "../../../core/ops/ops.ts";
import { sizeOf } from "../../../core/tensor.ts";
import kinds from "../../golden/kinds.json" with { type: "json" };
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import { onDevice, providerOf } from "../../support/providers.ts";

/** The entries with what they are of, and the seeds of their inputs (tests/golden/kinds.py). */
const CASES = [
  ["sum_3x2x3x3_k2", { use: "sum", kernels: 2 }, [3, 2, 3, 3]],
  ["sum_2x3x2x4_k3", { use: "sum", kernels: 3 }, [2, 3, 2, 4]],
  ["sum_4x3x1x1_k1", { use: "sum", kernels: 1 }, [4, 3, 1, 1]],
  ["do_conv_3x2x3x3", { use: "do-conv" }, [3, 2, 3, 3]],
  ["do_conv_2x3x1x2", { use: "do-conv" }, [2, 3, 1, 2]],
  ["majority_3x5_k3", { use: "majority", kernels: 3 }, [3, 5]],
] as const;

testBackends("weights and gradients are those of the papers' definitions in PyTorch", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-12 : 2e-6;
  for (const [name, entry, shape] of CASES) {
    const golden = kinds[name];
    const provider = providerOf(entry, shape)!;
    const tensors = provider.shapes.map((own, index) => pseudoRandom(index + 1, sizeOf(own)));
    const [made, ...gradients] = ops.scope(() => {
      const inputs = onDevice(ops, provider, tensors);
      const drawn = "shares" in golden ? ops.tensor(golden.shares) : null;
      let made = inputs[0];
      const loss = () => {
        made = provider.weight(ops, inputs, drawn);
        return ops.sum(ops.multiply(made, ops.tensor(pseudoRandom(9, made.size), shape)));
      };
      const { gradients } = ops.differentiate(loss, inputs);
      return [made, ...gradients.map((gradient) => gradient!)];
    });
    assertClose(await made.read(), golden.weight, tolerance, name);
    for (const [index, numbers] of (await ops.read(gradients)).entries()) {
      assertClose(numbers, golden.gradients[index], tolerance, `${name}, gradient ${index}`);
    }
  }
}, [float64, ...backends]);
