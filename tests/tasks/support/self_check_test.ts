import assert from "node:assert/strict";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { selfTest } from "../../../tasks/support/self_check.ts";
import { testBackends } from "../../support/backends.ts";

testBackends("the self-test passes on a backend that computes rightly", async (backend) => {
  const checks = await selfTest(backend);
  assert.deepEqual(checks.map(({ name, passed }) => [name, passed]), [["matrix product", true], [
    "merged chain",
    true,
  ]]);
  assert.equal(backend.memory().storages, 0, "nothing is left on the device");
});

Deno.test("the self-test fails on a backend that drops one product of many, or gives NaN", async () => {
  for (const spoilt of [0, NaN]) {
    const backend = await CpuBackend.create();
    const read = backend.read.bind(backend);
    backend.read = async (views) => {
      const numbers = await read(views);
      for (const values of numbers) values[values.length - 1] = spoilt;
      return numbers;
    };
    const checks = await selfTest(backend);
    assert.deepEqual(checks.map(({ passed }) => passed), [false, false]);
    await backend.close();
  }
});
