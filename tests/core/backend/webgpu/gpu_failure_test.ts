import assert from "node:assert/strict";
import { GpuFailure } from "../../../../core/backend/webgpu/gpu_failure.ts";

/** A device that fails when it is told to. */
function fakeDevice() {
  const device = new EventTarget();
  const { promise, resolve } = Promise.withResolvers<{ message: string; reason: string }>();
  const failure = new GpuFailure(Object.assign(device, { lost: promise }) as unknown as GPUDevice, () => 3 * 2 ** 20);
  return {
    failure,
    lose: (message = "it hung") => resolve({ message, reason: "unknown" }),
    refuse: (error: GPUError) => device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error })),
  };
}

const never = new Promise<never>(() => {});
const LOST = {
  name: "DeviceError",
  message: "The GPU was lost (unknown: it hung); --backend cpu computes without it",
};

Deno.test("a device that is lost while it is waited for ends the waiting, though it never answers", async () => {
  const { failure, lose } = fakeDevice();
  const waiting = failure.unless(never);
  const closing = failure.orLost(never);
  lose();
  await assert.rejects(waiting, LOST);
  await closing;
  await assert.rejects(failure.unless(never), LOST);
  await failure.orLost(never);
  await assert.rejects(failure.unless(Promise.resolve(1)), LOST, "an answer after it was lost");
});

Deno.test("the loss of a device is told rather than the errors that it causes, before and after it", async () => {
  const before = fakeDevice();
  before.refuse(new GPUValidationError("Buffer is invalid"));
  setTimeout(before.lose, 20);
  await assert.rejects(before.failure.unless(Promise.resolve(1)), LOST);

  const after = fakeDevice();
  after.lose();
  after.refuse(new GPUValidationError("Buffer is invalid"));
  await assert.rejects(after.failure.unless(Promise.reject(new Error("not mapped"))), LOST);

  const mapping = fakeDevice();
  setTimeout(mapping.lose, 20);
  await assert.rejects(mapping.failure.unless(Promise.reject(new Error("not mapped"))), LOST);
});

Deno.test("without a loss the first error is told, memory that is not there with what is in use", async () => {
  const invalid = fakeDevice();
  invalid.refuse(new GPUValidationError("Shader is invalid"));
  invalid.refuse(new GPUValidationError("Pipeline is invalid"));
  await assert.rejects(invalid.failure.unless(Promise.resolve(1)), {
    name: "DeviceError",
    message: "The GPU refused a command: Shader is invalid",
  });
  const full = fakeDevice();
  full.refuse(new GPUOutOfMemoryError("not enough"));
  full.refuse(new GPUValidationError("Buffer is invalid"));
  await assert.rejects(full.failure.unless(Promise.resolve(1)), {
    name: "DeviceError",
    message: "The GPU has no memory left beside 3 MiB in use (not enough): use a smaller batch (train.accumulate " +
      "keeps the step's size) or model, or --backend cpu",
  });
  const strange = fakeDevice();
  await assert.rejects(strange.failure.unless(Promise.reject(new TypeError("ours"))), { message: "ours" });
  assert.equal(await strange.failure.unless(Promise.resolve(1)), 1);
});
