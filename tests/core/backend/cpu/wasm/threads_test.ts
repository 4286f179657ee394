import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import {
  compileKernels,
  type ConvShape,
  createMemory,
  type DepthwiseShape,
  instantiate,
  loadKernels,
  PAGE,
  type WasmKernels,
} from "../../../../../core/backend/cpu/wasm/load.ts";
import { defaultThreads, loadThreadedKernels } from "../../../../../core/backend/cpu/wasm/threads.ts";
import { splitKernels } from "../../../../../core/backend/cpu/wasm/split.ts";
import { cut } from "../../../../../core/backend/cpu/wasm/team.ts";
import { Arena, random, type Region } from "./arena.ts";

// Large enough that three threads get a part each, and the parts differ in size.
const ROWS = 200_003, CHANNELS = 11, LENGTH = ROWS * CHANNELS;
const SHAPE: ConvShape = {
  height: 20,
  width: 20,
  inputs: 16,
  outputs: 17,
  kernelHeight: 3,
  kernelWidth: 3,
  stride: 1,
  padding: 1,
};
const IMAGES = 8, X = IMAGES * 400 * 16, Y = IMAGES * 400 * 17, FILTER = 9 * 16 * 17;

const DEPTHWISE: DepthwiseShape = {
  images: IMAGES,
  height: 61,
  width: 60,
  channels: 30,
  outHeight: 61,
  outWidth: 60,
  kernelHeight: 3,
  kernelWidth: 3,
  stride: 1,
  padding: 1,
  dilation: 1,
};
const STRIDED = { ...DEPTHWISE, outHeight: 31, outWidth: 30, stride: 2 };
const WIDE = IMAGES * 61 * 60 * 30, HALF = IMAGES * 31 * 30 * 30, TAPS = 9 * 30;

/** A call of a kernel on inputs of the given lengths; it gives the outputs' lengths and its scratch bytes. */
interface Job {
  inputs: number[];
  outputs: number[];
  scratch(kernels: WasmKernels): number;
  run(kernels: WasmKernels, inputs: number[], outputs: number[], scratch: number): void;
}

const none = () => 0;
const channelScratch = (kernels: WasmKernels) => kernels.channelScratch(CHANNELS);
const convScratch = (kernels: WasmKernels) => kernels.convScratch(SHAPE);
const gemmJob = (m: number, n: number, k: number): Job => ({
  inputs: [m * k, k * n],
  outputs: [m * n],
  scratch: (kernels) => kernels.gemmScratch(m, n, k),
  run: (kernels, [a, b], [c], scratch) => kernels.gemm(m, n, k, a, k, false, b, k, true, c, n, false, scratch),
});

const batchJob = (batch: number, m: number, n: number, k: number): Job => ({
  inputs: [batch * m * k, batch * k * n],
  outputs: [batch * m * n],
  scratch: (kernels) => kernels.gemmScratch(m, n, k, batch),
  run: (kernels, [a, b], [c], scratch) =>
    kernels.gemmBatch(batch, m, n, k, a, k, false, m * k, b, k, true, k * n, c, scratch),
});

/** Kernels whose every element is computed by one thread. */
const ELEMENTWISE: Record<string, Job> = {
  "gemmBatch by products": batchJob(31, 70, 50, 65),
  "gemmBatch by rows": batchJob(2, 301, 97, 300),
  addRow: {
    inputs: [CHANNELS],
    outputs: [LENGTH],
    scratch: none,
    run: (kernels, [row], [x]) => {
      new Float32Array(kernels.memory.buffer, x, LENGTH).fill(1);
      kernels.addRow(ROWS, CHANNELS, x, row);
    },
  },
  "gemm by rows": gemmJob(301, 97, 300),
  "gemm by columns": gemmJob(3, 3001, 900),
  convForward: {
    inputs: [X, FILTER],
    outputs: [Y],
    scratch: convScratch,
    run: (kernels, [x, filter], [y], scratch) => kernels.convForward(SHAPE, x, filter, y, scratch, 0, IMAGES),
  },
  convInputGradient: {
    inputs: [Y, FILTER],
    outputs: [X],
    scratch: convScratch,
    run: (kernels, [dy, filter], [dx], scratch) => kernels.convInputGradient(SHAPE, dy, filter, dx, scratch, 0, IMAGES),
  },
  "depthwise, forward": {
    inputs: [WIDE, TAPS],
    outputs: [WIDE, HALF],
    scratch: none,
    run: (kernels, [x, filter], [y, half]) => {
      kernels.depthwiseForward(DEPTHWISE, x, filter, y);
      kernels.depthwiseForward(STRIDED, x, filter, half);
    },
  },
  "depthwise, gradients of x": {
    inputs: [WIDE, HALF, TAPS],
    outputs: [WIDE, WIDE],
    scratch: none,
    run: (kernels, [dy, half, filter], [dx, other]) => {
      kernels.depthwiseInputGradient(DEPTHWISE, dy, filter, dx);
      kernels.depthwiseInputGradient(STRIDED, half, filter, other);
    },
  },
  channelAffine: {
    inputs: [LENGTH, CHANNELS, CHANNELS, LENGTH],
    outputs: [LENGTH],
    scratch: none,
    run: (kernels, [x, scale, shift, more], [y]) => kernels.channelAffine(ROWS, CHANNELS, x, scale, shift, more, y, 1),
  },
  channelGradient: {
    inputs: [LENGTH, LENGTH, 4 * CHANNELS],
    outputs: [LENGTH],
    scratch: none,
    run: (kernels, [x, g, coefficients], [dx]) => kernels.channelGradient(ROWS, CHANNELS, x, g, coefficients, dx),
  },
  "steps of optimisers": {
    inputs: [LENGTH],
    outputs: [LENGTH, LENGTH, LENGTH],
    scratch: () => 8 * 12,
    run: (kernels, [gradient], [parameter, first, second], scratch) => {
      const at = Math.ceil(scratch / 8) * 8;
      new Float64Array(kernels.memory.buffer, at, 10).fill(0.5);
      for (const state of [parameter, first, second]) new Float32Array(kernels.memory.buffer, state, LENGTH).fill(1);
      kernels.adamw(LENGTH, parameter, gradient, first, second, at);
      kernels.sgd(LENGTH, parameter, gradient, first, at, true);
    },
  },
  "squared norm": {
    inputs: [LENGTH],
    outputs: [1],
    scratch: (kernels) => kernels.squaredNormScratch(LENGTH) + 8,
    run: (kernels, [x], [norm], scratch) => {
      const sum = kernels.squaredNorm(LENGTH, x, Math.ceil(scratch / 8) * 8);
      new Float32Array(kernels.memory.buffer, norm, 1)[0] = sum % 1;
    },
  },
  "relu, its gradient and add": {
    inputs: [LENGTH, LENGTH],
    outputs: [LENGTH, LENGTH, LENGTH],
    scratch: none,
    run: (kernels, [x, g], [y, dx, sum]) => {
      kernels.relu(LENGTH, x, y);
      kernels.reluGradient(LENGTH, x, g, dx);
      kernels.add(LENGTH, x, g, sum);
    },
  },
};

/** Kernels in which the threads' sums are added. */
const SUMMED: Record<string, Job> = {
  convFilterGradient: {
    inputs: [X, Y],
    outputs: [FILTER],
    scratch: convScratch,
    run: (kernels, [x, dy], [dfilter], scratch) => {
      new Float32Array(kernels.memory.buffer, dfilter, FILTER).fill(0);
      kernels.convFilterGradient(SHAPE, x, dy, dfilter, scratch, 0, IMAGES);
    },
  },
  depthwiseFilterGradient: {
    inputs: [WIDE, WIDE],
    outputs: [TAPS],
    scratch: (kernels) => kernels.depthwiseScratch(DEPTHWISE),
    run: (kernels, [x, dy], [dfilter], scratch) => kernels.depthwiseFilterGradient(DEPTHWISE, x, dy, dfilter, scratch),
  },
  channelSums: {
    inputs: [LENGTH],
    outputs: [CHANNELS],
    scratch: channelScratch,
    run: (kernels, [x], [sums], scratch) => kernels.channelSums(ROWS, CHANNELS, x, sums, scratch),
  },
  channelSquares: {
    inputs: [LENGTH, CHANNELS],
    outputs: [CHANNELS],
    scratch: channelScratch,
    run: (kernels, [x, mean], [sums], scratch) => kernels.channelSquares(ROWS, CHANNELS, x, mean, sums, scratch),
  },
  channelGradientSums: {
    inputs: [LENGTH, LENGTH, CHANNELS],
    outputs: [CHANNELS, CHANNELS],
    scratch: channelScratch,
    run: (kernels, [x, g, mean], [sums, products], scratch) =>
      kernels.channelGradientSums(ROWS, CHANNELS, x, g, mean, sums, products, scratch),
  },
};

const values = random(LENGTH + 8, 1);

/** The outputs of a job; nothing but them and the scratch memory may be written. */
function outputsOf(job: Job, kernels: WasmKernels): Float32Array[] {
  const arena = new Arena(kernels);
  const inputs = job.inputs.map((length, i) => arena.take(length, values.subarray(i, i + length)));
  const outputs = job.outputs.map((length) => arena.take(length)), scratch = arena.take(job.scratch(kernels) / 4);
  const pointers = (regions: Region[]) => regions.map((region) => region.pointer);
  job.run(kernels, pointers(inputs), pointers(outputs), scratch.pointer);
  arena.assertUntouched();
  return outputs.map((region) => region.values.slice());
}

Deno.test("kernels on three threads", async (t) => {
  const memory = createMemory(1), alone = loadKernels(memory), threaded = await loadThreadedKernels(memory, 3);
  try {
    assert.equal(threaded.threads, 3);
    // The threads have started by now: they must see the memory that is added.
    memory.grow(Math.ceil(LENGTH * 4 * 5.1 / 65536));

    for (const [name, job] of Object.entries(ELEMENTWISE)) {
      await t.step(`${name} gives the same bits as on one thread`, () => {
        assert.deepEqual(outputsOf(job, threaded), outputsOf(job, alone));
      });
    }
    for (const [name, job] of Object.entries(SUMMED)) {
      await t.step(`${name} agrees with one thread, and is the same from run to run`, () => {
        const sums = outputsOf(job, threaded), expected = outputsOf(job, alone);
        sums.forEach((sum, i) =>
          sum.forEach((value, c) => {
            const wanted = expected[i][c];
            assert(Math.abs(value - wanted) <= 1e-2 + 1e-4 * Math.abs(wanted), `${c}: ${value} instead of ${wanted}`);
          })
        );
        for (let run = 0; run < 3; run++) assert.deepEqual(outputsOf(job, threaded), sums);
      });
    }

    await t.step("a failure in a thread surfaces here", () => {
      const beyond = memory.buffer.byteLength - 4 * LENGTH * 0.5;
      assert.throws(() => threaded.add(LENGTH, 0, 0, beyond));
      assert.throws(() => threaded.relu(LENGTH, 0, beyond));
    });

    await t.step("and the threads go on after it, for many short rounds", () => {
      const job = gemmJob(301, 97, 300), expected = outputsOf(job, alone);
      for (let round = 0; round < 20; round++) assert.deepEqual(outputsOf(job, threaded), expected);
    });
  } finally {
    await threaded.close();
  }
  assert.throws(() => threaded.relu(1, 0, 0), /threads were closed/);
});

Deno.test("threads fill memory that grew after they began", async () => {
  const memory = createMemory(1 << 16);
  const kernels = await loadThreadedKernels(memory, 3);
  // Columns that are no whole panel, so that each thread fills its scratch with zeros first.
  const [m, n, k] = [301, 18, 600];
  const lengths = [m * k, k * n, m * n].map((length) => 4 * length);
  const bytes = lengths.reduce((sum, length) => sum + length, 0) + kernels.gemmScratch(m, n, k);
  const values = [random(m * k, 1), random(k * n, 2)];
  const alone = loadKernels(createMemory(1 << 22));
  const product = (kernels: WasmKernels, begin: number) => {
    const [a, b, c, scratch] = lengths.concat(0).map((_, i) =>
      begin + lengths.slice(0, i).reduce((sum, x) => sum + x, 0)
    );
    [a, b].forEach((at, i) => new Float32Array(kernels.memory.buffer, at, values[i].length).set(values[i]));
    kernels.gemm(m, n, k, a, k, false, b, n, false, c, n, false, scratch);
    return new Float32Array(kernels.memory.buffer, c, m * n).slice();
  };
  const expected = product(alone, 64);
  for (let i = 0; i < 50; i++) {
    const begin = memory.buffer.byteLength;
    memory.grow(Math.ceil(bytes / PAGE));
    assert.deepEqual(product(kernels, begin), expected);
  }
  await kernels.close();
});

Deno.test("where no thread can be started, the kernels run on this one", async () => {
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = () => {
    throw new DOMException("Nothing can be sent", "DataCloneError");
  };
  try {
    const kernels = await loadThreadedKernels(createMemory(65536), 3);
    assert.equal(kernels.threads, 1);
    kernels.add(4, 0, 0, 16);
    await kernels.close();
  } finally {
    Worker.prototype.postMessage = postMessage;
  }
});

Deno.test("where memory cannot be shared, as on a page without cross-origin isolation, there is one thread", async () => {
  const shared = globalThis.SharedArrayBuffer;
  Reflect.deleteProperty(globalThis, "SharedArrayBuffer");
  try {
    const kernels = await loadThreadedKernels(createMemory(65536), 3);
    assert.equal(kernels.threads, 1);
    await kernels.close();
  } finally {
    globalThis.SharedArrayBuffer = shared;
  }
});

Deno.test("a thread that has ended is an error at the next kernel, not a wait without end, and closing ends too", async () => {
  const { postMessage } = Worker.prototype;
  const started: Worker[] = [];
  Worker.prototype.postMessage = function (...args: Parameters<typeof postMessage>) {
    started.push(this);
    return postMessage.apply(this, args);
  };
  try {
    const memory = createMemory(4 * 4 * LENGTH);
    const kernels = await loadThreadedKernels(memory, 3);
    assert.equal(started.length, 2);
    const job = () => kernels.add(LENGTH, 0, 4 * LENGTH, 8 * LENGTH);
    job();
    await started[1].terminate();
    assert.throws(job, {
      name: "DeviceError",
      message: /^Cannot compute add as a thread of the cpu backend has ended/,
    });
    await kernels.close();
    assert.throws(job, /threads were closed/);
  } finally {
    Worker.prototype.postMessage = postMessage;
  }
});

Deno.test("threads are counted from one to eight", async () => {
  assert(defaultThreads() >= 1 && defaultThreads() <= 8);
  for (const threads of [0, -1, 1.5, NaN]) {
    await assert.rejects(loadThreadedKernels(createMemory(1), threads), RangeError);
  }
});

Deno.test("ranges are cut into parts that cover them, at whole units, none empty", () => {
  assert.deepEqual(cut(0, 10, 3), [[0, 3], [3, 7], [7, 10]]);
  assert.deepEqual(cut(5, 30, 2, 6), [[5, 23], [23, 30]]);
  assert.deepEqual(cut(0, 2, 8), [[0, 1], [1, 2]]);
  assert.deepEqual(cut(4, 4, 3), []);
  for (const unit of [1, 6]) {
    for (let end = 0; end < 60; end++) {
      const parts = cut(0, end, 4, unit);
      assert.deepEqual(parts.flatMap(([begin, last]) => Array.from({ length: last - begin }, (_, i) => begin + i)), [
        ...Array(end).keys(),
      ]);
      assert(parts.every(([begin, last]) => last > begin && begin % unit === 0));
    }
  }
});

Deno.test("products are shared out over as many threads as they are worth, whole ones where there are enough", () => {
  const memory = createMemory(1), exports = instantiate(compileKernels(), memory);
  const runs: number[] = [];
  const team = { threads: 8, run: (_: string, calls: readonly unknown[]) => void runs.push(calls.length) };
  const kernels = splitKernels(memory, true, exports, { ...team, close: () => Promise.resolve() });
  const sharedBy = (batch: number, m: number, n: number, k: number) => {
    runs.length = 0;
    kernels.gemmBatch(batch, m, n, k, 0, k, false, m * k, 0, n, false, k * n, 0, 0);
    return [...runs];
  };
  // 2,000,000 multiply-adds for a thread at least.
  assert.deepEqual(sharedBy(1, 10, 10, 10), [1]);
  assert.deepEqual(sharedBy(1, 256, 128, 256), [4]);
  assert.deepEqual(sharedBy(2, 256, 128, 256), [4, 4]);
  assert.deepEqual(sharedBy(1, 512, 512, 512), [8]);
  assert.deepEqual(sharedBy(3, 512, 512, 512), [8, 8, 8]);
  assert.deepEqual(sharedBy(96, 48, 48, 32), [3]);
  assert.deepEqual(sharedBy(384, 128, 128, 64), [8]);
});
