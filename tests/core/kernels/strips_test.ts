import assert from "node:assert/strict";
import { hardwareKind } from "../../../core/backend/adapter_kinds.ts";
import type { Backend, Floats } from "../../../core/backend/backend.ts";
import type { AdapterTraits } from "../../../core/backend/kernel.ts";
import { kernels } from "../../../core/kernels/kernel.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { type BackendCase, cpu, float64, testBackends, webgpu } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

/** The webgpu backend as on an adapter of other traits, whatever the adapter at hand is. */
const as = (name: string, traits: Partial<AdapterTraits>): BackendCase => ({
  ...webgpu,
  name: `webgpu, ${name}`,
  open: async () => {
    const backend = await webgpu.open() as Backend & { traits: AdapterTraits };
    return Object.assign(backend, { traits: { ...backend.traits, ...traits } });
  },
});

const software = as("software", { software: true });
const hardware = as("hardware", { software: false });
/** Few workgroups in a row, so that all but the smallest launches take two dimensions. */
const wide = as("hardware of few workgroups along x", { software: false, maxWorkgroupsPerDimension: 3 });
/** WebGPU's compatibility mode promises 128 threads. */
const small = as("hardware of small workgroups", { software: false, maxWorkgroupInvocations: 128 });

/** Every branch of the threads' division: one to a strip, several strips to a workgroup, one, and 256 threads. */
const shapes: readonly (readonly [rows: number, columns: number])[] = [
  [1, 1],
  [2100, 1],
  [1, 3],
  [9, 3],
  [2100, 3],
  [129, 12],
  [5, 63],
  [9, 64],
  [5, 65],
  [300, 257],
  [3, 1000],
  [1, 1025],
  [2, 5000],
];

/** What is computed of `x [rows, columns]`, and of a weight and a bias `[columns]` where it takes them. */
interface Program {
  readonly takes?: 3;
  /** Relative; 1e-5 by default. */
  readonly tolerance?: number;
  readonly call: (ops: Ops, inputs: readonly Tensor[]) => Tensor;
}

const programs: Readonly<Record<string, Program>> = {
  softmax: { call: (ops, [x]) => ops.softmax(x) },
  "log-softmax": { call: (ops, [x]) => ops.logSoftmax(x) },
  "masked softmax, a mask for each row": {
    call: (ops, [x]) => {
      // Of the last row all is hidden.
      const mask = pseudoRandom(5, x.size).map((value, i) => value > 0 && i < x.size - x.shape[1] ? 1 : 0);
      return ops.maskedSoftmax(x, ops.tensor(mask, x.shape));
    },
  },
  "masked softmax, a mask for all rows": {
    call: (ops, [x]) => {
      const mask = pseudoRandom(6, x.shape[1]).map((value) => value > -0.5 ? 1 : 0);
      return ops.maskedSoftmax(ops.reshape(x, [1, ...x.shape]), ops.tensor(mask, [1, x.shape[1]]));
    },
  },
  "masked softmax of numbers far below zero": {
    tolerance: 1e-4,
    call: (ops, [x]) => {
      // Columns without a number that is seen are not taken for zeros, beside which the others would vanish.
      const mask = pseudoRandom(7, x.size).map((value) => value > 0.6 ? 1 : 0);
      return ops.maskedSoftmax(ops.offset(x, -300), ops.tensor(mask, x.shape));
    },
  },
  "layer norm": { takes: 3, call: (ops, [x, weight, bias]) => ops.layerNorm(x, weight, bias, { epsilon: 0.1 }) },
  "batch norm": {
    takes: 3,
    // Thousands of numbers around 0 make little of its weight's gradient.
    tolerance: 5e-5,
    call: (ops, [x, weight, bias]) => {
      const [runningMean, runningVariance] = [1, 2].map((seed) => ops.tensor(pseudoRandom(seed, weight.size, 0.5, 2)));
      const training = x.shape[0] > 1;
      const y = ops.batchNorm(x, weight, bias, { training, runningMean, runningVariance, epsilon: 0.1 });
      // The statistics that it moved are looked at too.
      return ops.add(y, ops.add(runningMean, runningVariance));
    },
  },
  "sum of all": { call: (ops, [x]) => ops.sum(x) },
  "mean of rows": { call: (ops, [x]) => ops.mean(x, { axes: [1] }) },
  "sum over rows": { call: (ops, [x]) => ops.sum(x, { axes: [0] }) },
  "sum over the middle": {
    call: (ops, [x]) => {
      const outer = x.shape[0] % 3 === 0 ? 3 : 1;
      return ops.sum(ops.reshape(x, [outer, x.shape[0] / outer, x.shape[1]]), { axes: [1] });
    },
  },
};

/** The program's output and its gradients. */
async function evaluate(backend: Backend, { takes, call }: Program, x: ArrayLike<number>, shape: readonly number[]) {
  const ops = createOps(backend);
  const kept = ops.scope(() => {
    const vectors = takes ? [21, 22].map((seed) => ops.tensor(pseudoRandom(seed, shape[1], 0.5, 2))) : [];
    const inputs = [ops.tensor(x, shape), ...vectors];
    let output: Tensor | undefined;
    const { gradients } = ops.differentiate(() => {
      output = call(ops, inputs);
      return ops.sum(ops.multiply(output, ops.tensor(pseudoRandom(8, output.size, 0.5, 1.5), output.shape)));
    }, inputs);
    return [output!, ...gradients.map((gradient) => gradient!)];
  });
  const read = await ops.read(kept);
  kept.forEach((tensor) => tensor.dispose());
  assert.equal(backend.memory().storages, 0, "all storages are freed");
  return read;
}

/** What float64 gives, by the program's name and the shape: the same for all backends. */
const references = new Map<string, Promise<Floats[]>>();

const everywhere = [cpu, software, hardware, wide, small];

for (const [name, program] of Object.entries(programs)) {
  testBackends(`${name}: value and gradients are those of float64 for rows of every length`, async (backend) => {
    const reference = await float64.open();
    for (const shape of shapes) {
      const x = pseudoRandom(13, shape[0] * shape[1], -2, 3);
      const key = `${name}: ${shape}`;
      const known = references.get(key) ?? evaluate(reference, program, x, shape);
      references.set(key, known);
      const expected = await known;
      const actual = await evaluate(backend, program, x, shape);
      expected.forEach((part, i) =>
        assertClose(
          actual[i],
          part,
          program.tolerance ?? 1e-5,
          `${shape.join(" x ")}: ${i === 0 ? "output" : `gradient ${i - 1}`}`,
        )
      );
    }
    await reference.close();
  }, everywhere);
}

/** What a number is: not one, infinite with its sign, or finite. */
const kindOf = (value: number) => Number.isFinite(value) ? "finite" : `${value}`;

testBackends("NaN and infinities are seen wherever they stand in a row, and stay in it", async (backend) => {
  const reference = await float64.open();
  const names = ["masked softmax, a mask for all rows", "softmax", "log-softmax", "mean of rows"];
  for (const columns of [3, 65, 1000, 1500]) {
    for (const place of [0, Math.floor(columns / 2), columns - 1]) {
      for (const value of [NaN, Infinity, -Infinity]) {
        const x = pseudoRandom(13, 5 * columns).with(2 * columns + place, value);
        const numbers = (each: Backend) => {
          const ops = createOps(each);
          const outputs = ops.scope(() => {
            const tensor = ops.tensor(x, [5, columns]);
            const ones = ops.full([columns], 1);
            return [...names.map((name) => programs[name].call(ops, [tensor])), ops.layerNorm(tensor, ones, ones)];
          });
          return ops.read(outputs).finally(() => outputs.forEach((output) => output.dispose()));
        };
        const [expected, actual] = [await numbers(reference), await numbers(backend)];
        // A row of the masked softmax, the first, may be NaN where it is hidden, too.
        const kinds = (read: Floats[]) =>
          read.map((part, i) => [...part].map((v, k) => i === 0 && expected[i][k] === 0 ? "hidden" : kindOf(v)));
        assert.deepEqual(kinds(actual), kinds(expected), `${value} at ${place} of ${columns}`);
      }
    }
  }
  await reference.close();
}, everywhere);

testBackends("hardware sums three million numbers in two dispatches, software in three", async (backend) => {
  const ops = createOps(backend);
  const x = ops.full([3, 1024, 1024], 0.5);
  const { dispatches } = backend.work();
  const sum = ops.sum(x);
  assert.equal(backend.work().dispatches - dispatches, backend.traits!.software ? 3 : 2);
  assert.deepEqual([...await sum.read()], [1.5 * 1024 * 1024]);
}, [software, hardware]);

const large: AdapterTraits = {
  ...hardwareKind,
  maxWorkgroupInvocations: 256,
  maxWorkgroupStorageBytes: 16384,
  maxWorkgroupsPerDimension: 65535,
};

Deno.test("a row has as many threads as a quarter of its numbers, up to 64, and 256 if it is long", () => {
  const of = (rows: number, columns: number, adapter = large) => {
    const { constants, workgroups } = kernels().get("softmax")!.launch({ rows, columns }, adapter);
    return [...Object.values(constants!), ...workgroups];
  };
  // THREADS, ALONG, WIDTH, workgroups
  assert.deepEqual(of(100, 3), [64, 1, 1, 2, 1, 1]);
  assert.deepEqual(of(100, 10), [64, 4, 1, 7, 1, 1]);
  assert.deepEqual(of(49152, 128), [64, 32, 1, 24576, 1, 1]);
  assert.deepEqual(of(4096, 768), [64, 64, 1, 4096, 1, 1]);
  assert.deepEqual(of(8, 30522), [256, 256, 1, 8, 1, 1]);
  assert.deepEqual(of(8, 30522, { ...large, maxWorkgroupInvocations: 128 }), [64, 64, 1, 8, 1, 1]);
  assert.deepEqual(of(130, 768, { ...large, software: true }), [64, 1, 1, 3, 1, 1]);
});
