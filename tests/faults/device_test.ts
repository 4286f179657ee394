import assert from "node:assert/strict";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Backend } from "../../core/backend/backend.ts";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import type { WebGpuBackend } from "../../core/backend/webgpu/webgpu_backend.ts";
import { silent } from "../../core/distill/progress.ts";
import { endingOf } from "../../tasks/support/errors.ts";
import { webgpu } from "../support/backends.ts";
import { studentBytes } from "../support/run_observers.ts";
import { tinyRun, withTinyData } from "../support/tiny_run.ts";

const GPU = { ignore: !webgpu.available };

/** 5 steps an epoch, and a checkpoint after each. */
const overrides = ["train.epochs=2", "student.overParameterise=[]", "train.checkpointEvery=1", "train.logEvery=1"];

/** The error of a run under which `fail` is called once a step is told. */
async function failedRun(folder: string, backend: Backend, step: number, fail: () => unknown): Promise<Error> {
  const reporter = { ...silent, progress: (line: { step: number }) => line.step === step && void fail() };
  try {
    await tinyRun(folder, { backend, overrides, reporter });
  } catch (error) {
    return error as Error;
  } finally {
    await backend.close();
  }
  assert.fail("the run went on");
}

/** Files that a write left half done. */
async function unfinished(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await unfinished(join(folder, name)));
    else if (name.includes(".tmp")) found.push(name);
  }
  return found;
}

const FAULTS: Readonly<Record<string, { fail: (gpu: GPUDevice) => void; says: RegExp }>> = {
  "is lost": { fail: (gpu) => gpu.destroy(), says: /^The GPU was lost \(destroyed: .*\); --backend cpu computes/ },
  "has no memory left": {
    fail: (gpu) => tell(gpu, new GPUOutOfMemoryError("out of memory")),
    says:
      /^The GPU has no memory left beside \d+ MiB in use \(out of memory\): use a smaller batch \(train.accumulate keeps the step's size\) or model, or/,
  },
  "refuses a command": {
    fail: (gpu) => void gpu.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE }),
    says: /^The GPU refused a command: /,
  },
};

const tell = (gpu: GPUDevice, error: GPUError) =>
  void gpu.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));

for (const [what, { fail, says }] of Object.entries(FAULTS)) {
  Deno.test(
    `a GPU that ${what} in mid training leaves the last checkpoint and a sentence`,
    GPU,
    () =>
      withTinyData(async (folder) => {
        const backend = await webgpu.open() as WebGpuBackend;
        const error = await failedRun(folder, backend, 7, () => fail(backend.gpu));
        const { message, code } = endingOf(error, false);
        assert.equal(code, 1);
        assert.match(message, says);
        const file = join(folder, "run", "checkpoint", "state.safetensors");
        assert.ok(message.endsWith(`; --resume continues after step 5 from "${file}"`), message);
        assert.deepEqual(await unfinished(join(folder, "run")), []);
      }),
  );
}

Deno.test(
  "a run that is resumed after its GPU was lost ends as if nothing had happened",
  GPU,
  () =>
    withTinyData(async (folder) => {
      const whole = await webgpu.open();
      await tinyRun(folder, { backend: whole, overrides, output: "whole" });
      await whole.close();
      const backend = await webgpu.open() as WebGpuBackend;
      await failedRun(folder, backend, 7, () => backend.gpu.destroy());
      const again = await webgpu.open();
      await tinyRun(folder, { backend: again, overrides, resume: true });
      await again.close();
      assert.deepEqual(await studentBytes(folder), await studentBytes(folder, "whole"));
    }),
);

Deno.test(
  "a GPU that is lost before the first checkpoint is a sentence that says so, and nothing is half written",
  GPU,
  () =>
    withTinyData(async (folder) => {
      const backend = await webgpu.open() as WebGpuBackend;
      const error = await failedRun(folder, backend, 2, () => backend.gpu.destroy());
      assert.match(error.message, /^The GPU was lost .*; there is no checkpoint yet, so the run begins anew$/);
      assert.deepEqual(await unfinished(join(folder, "run")), []);
    }),
);

Deno.test("a thread of the cpu backend that ends in mid training leaves the last checkpoint and a sentence", () =>
  withTinyData(async (folder) => {
    const { postMessage } = Worker.prototype;
    const started: Worker[] = [];
    Worker.prototype.postMessage = function (...args: Parameters<typeof postMessage>) {
      started.push(this);
      return postMessage.apply(this, args);
    };
    const backend = await CpuBackend.create({ threads: 2 });
    Worker.prototype.postMessage = postMessage;
    const error = await failedRun(folder, backend, 7, () => started[0].terminate());
    assert.match(error.message, /^Cannot compute \w+ as a thread of the cpu backend has ended: .* after step 5 from "/);
    assert.equal(endingOf(error, false).code, 1);
    const again = await CpuBackend.create({ threads: 2 });
    const { steps } = await tinyRun(folder, { backend: again, overrides, resume: true });
    await again.close();
    assert.equal(steps, 10);
  }));
