import { createOps } from "../../../core/ops/ops.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import type { ForwardCall } from "../../../core/plugin/model.ts";
import { sizeOf } from "../../../core/tensor.ts";
import { squeezeExcitationSpecs, squeezeExcite } from "../../../plugins/models/images/squeeze_excitation.ts";
import golden from "../../golden/images.json" with { type: "json" };
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertFingerprint } from "../../support/fingerprints.ts";
import { pseudoRandom } from "../../support/numbers.ts";

testBackends("squeeze and excitation, and its gradients, are torchvision's", async (backend) => {
  const ops = createOps(backend);
  const tensors = new Map(
    squeezeExcitationSpecs("se", 6, 3).map(({ name, shape }, index) => {
      const numbers = pseudoRandom(60 + index, sizeOf(shape), -0.5, 0.5);
      return [name, ops.tensor(Float32Array.from(numbers), shape)];
    }),
  );
  const x = ops.tensor(pseudoRandom(57, 2 * 3 * 4 * 6), [2, 3, 4, 6]);
  const call = { ops, weights: weightsFrom(tensors) } as unknown as ForwardCall;
  const y = squeezeExcite(call, x, "se");
  const pattern = ops.tensor(pseudoRandom(58, x.size), x.shape);
  const { gradients: [dx, ...gradients] } = ops.differentiate(
    () => ops.sum(ops.multiply(squeezeExcite(call, x, "se"), pattern)),
    [x, ...tensors.values()],
  );
  const expected = golden.squeezeExcitation;
  const tolerance = backend.precision === "float64" ? 1e-7 : 1e-5;
  assertFingerprint(await y.read(), expected.y, 59, tolerance, "y");
  assertFingerprint(await dx!.read(), expected.dx, 59, tolerance, "dx");
  for (const [index, name] of [...tensors.keys()].entries()) {
    assertFingerprint(await gradients[index]!.read(), expected.gradients[index], 59, tolerance, name);
  }
}, [float64, ...backends]);
