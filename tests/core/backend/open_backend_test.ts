import assert from "node:assert/strict";
import { openBackend } from "../../../core/backend/open_backend.ts";
import { createOps } from "../../../core/ops/ops.ts";

Deno.test("float64 is computed by the cpu, asked for or taken, and refused on WebGPU", async () => {
  for (const choice of ["cpu", "auto"] as const) {
    const { backend, reason } = await openBackend(choice, { precision: "float64" });
    const ops = createOps(backend);
    assert.equal(backend.precision, "float64");
    assert.equal((await ops.scale(ops.tensor([1 / 3]), 3e9).read())[0], 1e9);
    assert.equal(reason, choice === "cpu" ? "as asked for" : "only the cpu computes in float64");
    await backend.close();
  }
  await assert.rejects(openBackend("webgpu", { precision: "float64" }), {
    name: "UserError",
    message: "Cannot compute in float64 on WebGPU: it has float32; use cpu",
  });
});

Deno.test("the cpu backend has the threads that it is asked for", async () => {
  const { backend } = await openBackend("cpu", { threads: 2 });
  assert.match(backend.description, /2 threads/);
  await backend.close();
});
