import assert from "node:assert/strict";
import { hardwareKind } from "../../../core/backend/adapter_kinds.ts";
import type { WebGpuBackend } from "../../../core/backend/webgpu/webgpu_backend.ts";
import { Device } from "../../../core/device.ts";
import { decomposeMatrix } from "../../../core/mpo/decompose.ts";
import { hostLinearAlgebra, linearAlgebraOn } from "../../../core/mpo/linear_algebra.ts";
import { cpu, testBackends, webgpu } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";
import { random } from "../linalg/matrices.ts";

testBackends("a software adapter leaves SVDs to the host", (backend) => {
  const { software } = (backend as WebGpuBackend).traits;
  assert.equal(linearAlgebraOn(new Device(backend)) === hostLinearAlgebra, software);
}, [webgpu]);

testBackends("the cpu backend decomposes in float64, by its library where that has LAPACK", async (backend) => {
  const linearAlgebra = linearAlgebraOn(new Device(backend));
  const matrix = random(64, 96, 1).values, options = { rows: [8, 1, 8], cols: [8, 1, 12] };
  const found = await decomposeMatrix(matrix, 64, 96, { ...options, linearAlgebra });
  const expected = await decomposeMatrix(matrix, 64, 96, options);
  const { svd } = backend.wasm!.kernels;
  assert.equal(found.arithmetic, svd ? "float64 by LAPACK" : "float64 on the host");
  assert.match(backend.description, svd ? /, decompositions by its LAPACK$/ : /threads?(, matrix products by \w+)?$/);
  found.chain.cores.forEach((core, k) => assertClose(core, expected.chain.cores[k], 1e-10));
  if (!svd) assert.deepEqual(found.chain, expected.chain);
  const again = await decomposeMatrix(matrix, 64, 96, { ...options, linearAlgebra });
  assert.deepEqual(again, found);
}, [cpu]);

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
