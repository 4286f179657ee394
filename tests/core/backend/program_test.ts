import assert from "node:assert/strict";
import type { Backend } from "../../../core/backend/backend.ts";
import type { Call } from "../../../core/backend/program.ts";
import { dropoutKernel } from "../../../core/kernels/dropout.ts";
import { fillKernel } from "../../../core/kernels/fill.ts";
import { sgdKernel } from "../../../core/kernels/optimisers.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { sizeOf, Tensor } from "../../../core/tensor.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";

const all = [float64, ...backends];
const tensorOf = (backend: Backend, shape: readonly number[], data: readonly number[]) => {
  const tensor = Tensor.allocate(backend, shape);
  backend.write(tensor.view, data);
  assert.equal(data.length, sizeOf(shape));
  return tensor;
};

testBackends("a program runs its kernels and copies in order, as often as it is asked to", async (backend) => {
  const [sum, step, copy, one, velocity] = [[0, 0], [1, 2], [0, 0], [1], [0, 0]]
    .map((data) => tensorOf(backend, [data.length], data));
  // A step of descent at the rate -1 adds the gradient.
  const views = {
    gradient: step.view,
    gradientScale: one.view,
    parameter: sum.view,
    velocity: velocity.view,
  };
  const parameters = { size: 2, rate: -1, momentum: 0, weightDecay: 0, nesterov: 0 };
  const calls: Call[] = [
    { source: sum.view, target: copy.view },
    { kernel: sgdKernel, views, parameters },
  ];
  const before = backend.work();
  const program = backend.compile(calls);
  for (let i = 0; i < 3; i++) program.run();
  const [sums, copies] = await backend.read([sum.view, copy.view]);
  assertClose(sums, [3, 6], 0);
  assertClose(copies, [2, 4], 0, "before the last addition");
  assert.equal(backend.work().dispatches - before.dispatches, 3);
  program.dispose();
}, all);

testBackends("a program comes after what was enqueued before it, and before what comes next", async (backend) => {
  const { device } = createOps(backend);
  const [x, y, z] = [0, 1, 2].map(() => Tensor.allocate(backend, [3]));
  const program = backend.compile([{ source: x.view, target: y.view }]);
  device.run(fillKernel, { output: x }, { size: 3, value: 5 });
  program.run();
  device.run(fillKernel, { output: x }, { size: 3, value: 6 });
  device.copy(y, z);
  const values = await device.read([x, y, z]);
  values.forEach((numbers, index) => assertClose(numbers, Array(3).fill([6, 5, 5][index]), 0));
  program.dispose();
}, all);

testBackends("a parameter has its new value from the next run on, and the calls keep theirs", async (backend) => {
  const [input, output] = [1, 0].map((value) => tensorOf(backend, [64], Array(64).fill(value)));
  const parameters = { size: 64, seed: 1, rate: 0.5 };
  const call = { kernel: dropoutKernel, views: { input: input.view, output: output.view }, parameters };
  const program = backend.compile([call, { ...call, parameters: { ...parameters, seed: 9 } }]);
  const masks: number[][] = [];
  for (const seed of [1, 2, 1]) {
    program.set(1, "seed", seed);
    program.run();
    masks.push([...(await output.read())]);
  }
  assert.deepEqual(masks[0], masks[2]);
  assert.notDeepEqual(masks[0], masks[1]);
  assert.ok(masks[1].some((value) => value === 2) && masks[1].some((value) => value === 0), "the rate stays");
  assert.deepEqual(parameters, { size: 64, seed: 1, rate: 0.5 });
  program.dispose();
}, all);

testBackends("300 dispatches are one submit", async (backend) => {
  const x = tensorOf(backend, [4], [0, 0, 0, 0]);
  const fill = (value: number) => ({
    kernel: fillKernel,
    views: { output: x.view },
    parameters: { size: 4, value },
  });
  const program = backend.compile(Array.from({ length: 300 }, (_, index) => fill(index)));
  const { submits, dispatches } = backend.work();
  program.run();
  const after = backend.work();
  assert.deepEqual([after.submits - submits, after.dispatches - dispatches], [1, 300]);
  assertClose(await x.read(), [299, 299, 299, 299], 0);
  program.dispose();
}, backends.filter(({ name }) => name === "webgpu"));
