import assert from "node:assert/strict";
import type { Backend } from "../../../core/backend/backend.ts";
import { predictionsOf } from "../../../core/evaluate/predictions.ts";
import { kernels } from "../../../core/kernels/kernel.ts";
import { svd } from "../../../core/linalg/device_svd.ts";
import { GradScaler } from "../../../core/nn/grad_scaler.ts";
import { clipScale, createOptimiser } from "../../../core/nn/optimisers.ts";
import { ParameterStore } from "../../../core/nn/parameter_store.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { viterbi } from "../../../core/ops/viterbi.ts";
import { sizeOf, type Tensor } from "../../../core/tensor.ts";
import "../../../mod.ts";
import { cpu, float64, testBackends, webgpu } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import { cases } from "../ops/cases.ts";

/** Programs whose kernels no differentiable operation runs; what they give is compared with float64. */
const programs: Readonly<Record<string, (ops: Ops) => Promise<Tensor[]> | Tensor[]>> = {
  "right predictions": (ops) => [
    // The third row has no label, though its largest logit is the first.
    ops.argmaxIs(ops.tensor([1, 3, 3, 5, 4, 0, 2, 1, 0], [3, 3]), ops.tensor([1, 2, -1])),
  ],
  "largest logits": (ops) => {
    const logits = ops.tensor([1, 3, 3, 5, 4, 0], [2, 3]);
    return [predictionsOf(ops, "classification", { logits })];
  },
  "clip factor": (ops) => [clipScale(ops, [ops.tensor(pseudoRandom(4, 300))], 0.5)],
  "sgd step": (ops) => optimiserStep(ops, { use: "sgd", momentum: 0.9, nesterov: true }),
  // Taller than wide, and wider than a panel, so that the QR in front of the Jacobi rotations has something to do.
  "singular values": async (ops) => {
    const { u, singularValues, remainder } = await svd(ops.device, ops.tensor(pseudoRandom(5, 60 * 37), [60, 37]));
    return [singularValues, ops.matmul(u, remainder)];
  },
  "best paths": (ops) => {
    const { tags, scores } = viterbi(
      ops,
      ops.tensor(pseudoRandom(9, 2 * 5 * 40), [2, 5, 40]),
      ops.tensor(pseudoRandom(10, 40 * 40), [40, 40]),
      ops.tensor([1, 0, 1, 1, 1, 0, 1, 1, 0, 0], [2, 5]),
      3,
    );
    return [tags, scores];
  },
  "scaled sgd steps": (ops) => scaledSteps(ops, { use: "sgd", momentum: 0.9, nesterov: false }),
  "scaled adamw steps": (ops) => scaledSteps(ops, { use: "adamw", betas: [0.9, 0.999], epsilon: 1e-8 }),
  "convolution with batch norm": (ops) => {
    const [weight, bias, runningMean, runningVariance] = [1, 2, 3, 4].map((seed) =>
      ops.tensor(pseudoRandom(seed, 5, 0.5, 2))
    );
    const x = ops.tensor(pseudoRandom(5, 2 * 6 * 6 * 3), [2, 6, 6, 3]);
    const filter = ops.tensor(pseudoRandom(6, 5 * 3 * 9), [5, 3, 3, 3]);
    return [ops.convBatchNorm(x, filter, {}, weight, bias, { training: false, runningMean, runningVariance })];
  },
  "adamw step": (ops) => optimiserStep(ops, { use: "adamw", betas: [0.9, 0.999], epsilon: 1e-8 }),
};

function optimiserStep(ops: Ops, options: Parameters<typeof createOptimiser>[2]): Tensor[] {
  const store = new ParameterStore(ops, [{ name: "w", shape: [9, 11] }]);
  store.set("w", pseudoRandom(7, 99));
  store.gather([ops.tensor(pseudoRandom(8, 99), [9, 11])]);
  const optimiser = createOptimiser(ops, store, options);
  optimiser.step({ rate: 0.1, weightDecay: 0.01, gradientScale: ops.full([1], 0.5), step: 1 });
  return [store.get("w"), ...optimiser.state.values()];
}

/** Steps of a loss that is scaled, of which the second is skipped. */
function scaledSteps(ops: Ops, options: Parameters<typeof createOptimiser>[2]): Tensor[] {
  const store = new ParameterStore(ops, [{ name: "w", shape: [9, 11] }]);
  store.set("w", pseudoRandom(7, 99));
  const optimiser = createOptimiser(ops, store, options);
  const scaler = new GradScaler(ops, { scale: 8 });
  for (let step = 1; step <= 3; step++) {
    store.gather([ops.tensor(pseudoRandom(8, 99).map((x) => step === 2 ? Infinity : 8 * x), [9, 11])]);
    const gradientScale = scaler.unscale([store.parts[0].gradient], 2);
    optimiser.step({ rate: 0.1, weightDecay: 0.01, gradientScale, step });
  }
  return [store.get("w"), ...optimiser.state.values(), scaler.state];
}

/** Notes the name of every kernel that a backend runs. */
function recording(backend: Backend): Set<string> {
  const names = new Set<string>();
  const run = backend.run.bind(backend);
  backend.run = (kernel, views, parameters) => {
    names.add(kernel.name);
    run(kernel, views, parameters);
  };
  return names;
}

async function runEverything(ops: Ops): Promise<void> {
  for (const { inputs, call } of Object.values(cases).flat()) {
    const tensors = inputs.map(({ shape, low = -1, high = 1 }, i) =>
      ops.tensor(pseudoRandom(17 + i, sizeOf(shape), low, high), shape)
    );
    ops.differentiate(() => ops.sum(call(ops, tensors)), tensors);
  }
  for (const program of Object.values(programs)) await program(ops);
}

testBackends("every kernel runs in some operation's cases or in a program here", async (backend) => {
  const ran = recording(backend);
  const ops = createOps(backend);
  await runEverything(ops);
  await ops.scalar(0).read(); // a shader that the GPU refuses shows here
  // Where all tests are one program, as in a browser, others have made up kernels of their own.
  const ours = [...kernels().keys()].filter((name) => !name.startsWith("recorder test"));
  assert.deepEqual(ours.filter((name) => !ran.has(name)), []);
}, [webgpu]);

for (const [name, program] of Object.entries(programs)) {
  testBackends(`${name}: equal to the float64 reference`, async (backend) => {
    const reference = await float64.open();
    const expected = await createOps(reference).read(await program(createOps(reference)));
    const ops = createOps(backend);
    const actual = await ops.read(await program(ops));
    actual.forEach((numbers, index) => assertClose(numbers, expected[index], 1e-5, `${name}, tensor ${index}`));
    await reference.close();
  }, [cpu, webgpu]);
}
