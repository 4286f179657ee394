import assert from "node:assert/strict";
import { hardwareKind } from "../../../core/backend/adapter_kinds.ts";
import type { WebGpuBackend } from "../../../core/backend/webgpu/webgpu_backend.ts";
import { Device } from "../../../core/device.ts";
import { decomposeMatrix } from "../../../core/mpo/decompose.ts";
import { hostLinearAlgebra, linearAlgebraOn } from "../../../core/mpo/linear_algebra.ts";
import { testBackends, webgpu } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";
import { random } from "../linalg/matrices.ts";

testBackends("the cpu backend and a software adapter leave SVDs to the host", (backend) => {
  const software = backend.name === "cpu" || (backend as WebGpuBackend).traits.software;
  assert.equal(linearAlgebraOn(new Device(backend)) === hostLinearAlgebra, software);
});

testBackends(
  "a GPU takes large SVDs and leaves small ones to the host; the decomposition says which",
  async (backend) => {
    const gpu = backend as WebGpuBackend;
    Object.assign(gpu, { traits: { ...gpu.traits, ...hardwareKind } });
    const linearAlgebra = linearAlgebraOn(new Device(gpu));
    const options = { rows: [64, 1], cols: [1, 1024], linearAlgebra };
    const small = await decomposeMatrix(random(64, 1024, 1).values, 64, 1024, options);
    assert.equal(small.arithmetic, "float64 on the host");
    const matrix = random(64, 16384, 2).values;
    const large = await decomposeMatrix(matrix, 64, 16384, { ...options, cols: [1, 16384] });
    assert.equal(large.arithmetic, "float32 by shaders");
    const { singularValues: [expected] } = await decomposeMatrix(matrix, 64, 16384, {
      rows: [64, 1],
      cols: [1, 16384],
    });
    assertClose(large.singularValues[0], expected, 2e-6 * expected[0]);
  },
  [webgpu],
);
