import assert from "node:assert/strict";
import type { Backend } from "../../../core/backend/backend.ts";
import { fillKernel } from "../../../core/kernels/fill.ts";
import { defineKernel } from "../../../core/kernels/kernel.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { type BodyCall, type Outputs, Recorder } from "../../../core/replay/recorder.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";

type Body = (call: BodyCall<string>) => Outputs<"y">;

/** Runs a body on `rounds` of inputs and gives what each returned; `body` may differ from round to round. */
async function rounds(
  ops: Ops,
  recorder: Recorder,
  inputs: readonly (readonly number[])[],
  body: (round: number) => Body,
  at: (round: number) => number = () => 1,
): Promise<number[][]> {
  const results: number[][] = [];
  for (const [round, data] of inputs.entries()) {
    let drawn = 100 * round;
    const { y } = ops.scope(() =>
      recorder.run({
        key: "",
        inputs: { x: { data, shape: [data.length] } },
        randomSeed: () => ++drawn,
        at: () => at(round),
        body: body(round),
      })
    );
    results.push([...(await y[0].read())]);
    y.forEach((tensor) => tensor.dispose());
  }
  return results;
}

const numbers = (count: number, length = 3) =>
  Array.from({ length: count }, (_, round) => Array.from({ length }, (_, i) => round + i + 1));

/** Runs the same rounds with and without replaying; the results must be the same, and all memory must be freed. */
async function compare(
  backend: Backend,
  inputs: readonly (readonly number[])[],
  bodyOf: (ops: Ops, state: Tensor) => (round: number) => Body,
  at?: (round: number) => number,
): Promise<Recorder["counts"]> {
  const ops = createOps(backend);
  const [replayed, plain] = [true, false].map((enabled) => new Recorder(ops.device, enabled));
  const both: number[][][] = [];
  for (const recorder of [replayed, plain]) {
    const state = ops.tensor([1, 1, 1]);
    const results = await rounds(ops, recorder, inputs, bodyOf(ops, state), at);
    both.push([...results, [...(await state.read())]]);
    recorder.dispose();
    state.dispose();
  }
  both[0].forEach((values, round) => assertClose(values, both[1][round], 0, `round ${round}`));
  assert.equal(plain.counts.replays, 0);
  assert.deepEqual([backend.memory().storages, backend.memory().bytes], [0, 0]);
  return replayed.counts;
}

testBackends(
  "after two equal runs a body is replayed: on its inputs, constants and random numbers, with what it keeps",
  async (backend) => {
    const counts = await compare(backend, numbers(6), (ops, state) => () => ({ inputs: { x }, randomSeed }) => {
      const [first, second] = [randomSeed(), randomSeed()];
      const product = ops.multiply(ops.add(x, state), ops.tensor([2, 3, 5]));
      const dropped = ops.dropout(ops.dropout(product, { rate: 0.3, seed: second }), { rate: 0.1, seed: first });
      ops.assign(state, ops.scale(x, 0.5));
      return { y: [ops.add(dropped, state)] };
    });
    assert.deepEqual(counts, { runs: 2, replays: 4 });
  },
  [float64, ...backends],
);

const SHOW = `@compute @workgroup_size(1) fn main() { output[0] = f32(NUMBER); }`;
const workgroups = [1, 1, 1] as const;
/** Writes the number that it is given, as one that is drawn. */
const drawnKernel = defineKernel({
  name: "recorder test: drawn",
  reads: {},
  writes: { output: "f32" },
  parameters: { draw: "seed" },
  launch: () => ({ shader: SHOW.replace("NUMBER", "p.draw"), workgroups }),
  cpu: ({ output }, { draw }) => void (output[0] = draw),
});
/** The same of an ordinary number, whatever its name. */
const givenKernel = defineKernel({
  name: "recorder test: given",
  reads: {},
  writes: { output: "f32" },
  parameters: { seed: "u32" },
  launch: () => ({ shader: SHOW.replace("NUMBER", "p.seed"), workgroups }),
  cpu: ({ output }, { seed }) => void (output[0] = seed),
});

testBackends("a parameter of the type seed gets fresh random numbers, and no other", async (backend) => {
  const counts = (show: (ops: Ops, output: Tensor, number: number) => void) =>
    compare(backend, numbers(5), (ops) => () => ({ randomSeed }) => {
      const output = ops.device.empty([1]);
      show(ops, output, randomSeed());
      return { y: [output] };
    });
  const drawn = await counts(({ device }, output, draw) => device.run(drawnKernel, { output }, { draw }));
  assert.deepEqual(drawn, { runs: 2, replays: 3 });
  const given = await counts(({ device }, output, seed) => device.run(givenKernel, { output }, { seed }));
  assert.deepEqual(given, { runs: 5, replays: 0 });
});

testBackends("gradients are replayed, too", async (backend) => {
  const counts = await compare(backend, numbers(4), (ops, state) => () => ({ inputs: { x } }) => {
    const { gradients } = ops.differentiate(() => ops.sum(ops.exp(ops.scale(ops.multiply(x, state), 0.1))), [state]);
    ops.assign(state, ops.subtract(state, ops.scale(gradients[0]!, 0.01)));
    return { y: [gradients[0]!] };
  });
  assert.equal(counts.replays, 2);
});

testBackends("each shape of the inputs is recorded for itself, in the same memory", async (backend) => {
  const ops = createOps(backend);
  const recorder = new Recorder(ops.device, true);
  const body: Body = ({ inputs: { x } }) => ({ y: [ops.square(ops.scale(ops.square(x), 2))] });
  const lengths = [500, 500, 500, 300, 300, 500, 300, 500];
  const inputs = lengths.map((length, round) => Array.from({ length }, () => round));
  const results = await rounds(ops, recorder, inputs, () => body);
  results.forEach((values, round) => assertClose(values, inputs[round].map((x) => 4 * x ** 4), 0, `round ${round}`));
  assert.deepEqual(recorder.counts, { runs: 4, replays: 4 });
  const { bytes } = backend.memory();
  assert.ok(bytes <= 3 * 512 * 4, `${bytes} bytes: input and two results of the longer one`);
  recorder.rest();
  assert.equal(backend.memory().bytes, 0, "resting gives it back");
  assertClose((await rounds(ops, recorder, [inputs[1]], () => body))[0], inputs[1].map(() => 4), 0);
  assert.equal(recorder.counts.runs, 4, "a rest forgets nothing");
  recorder.dispose();
  assert.equal(backend.memory().bytes, 0);
});

testBackends("where ever new shapes come between, nothing is recorded for a single replay", async (backend) => {
  const ops = createOps(backend);
  const recorder = new Recorder(ops.device, true);
  const inputs = [9, 9, 8, 9, 7, 9, 6, 9, 9].map((length) => Array.from({ length }, (_, i) => i));
  const results = await rounds(ops, recorder, inputs, () => ({ inputs: { x } }) => ({ y: [ops.square(x)] }));
  results.forEach((values, round) => assertClose(values, inputs[round].map((x) => x * x), 0));
  assert.deepEqual(recorder.counts, { runs: 8, replays: 1 });
  recorder.dispose();
});

testBackends("a body is run anew while a number that it asks for changes", async (backend) => {
  const values = [1, 1, 1, 2, 2, 2, 3, 4, 5, 5, 5];
  const body = (ops: Ops) => () => ({ inputs: { x }, at }: BodyCall<string>) => ({ y: [ops.scale(x, at("factor"))] });
  const counts = await compare(backend, numbers(11), body, (round) => values[round]);
  assert.deepEqual(counts, { runs: 8, replays: 3 });
});

testBackends("a body that is not the same twice is never replayed", async (backend) => {
  const never = async (bodyOf: Parameters<typeof compare>[2]) =>
    assert.deepEqual(await compare(backend, numbers(5), bodyOf), { runs: 5, replays: 0 });
  await never((ops) => (round) => ({ inputs: { x } }) => ({ y: [ops.scale(x, round)] }));
  await never((ops) => (round) => ({ inputs: { x } }) => ({ y: [ops.add(x, ops.tensor([round, 0, 0]))] }));
  await never((ops) => (round) => ({ inputs: { x } }) => ({ y: [[ops.abs(x), ops.square(x)][round % 2]] }));
  // A random number that is changed on the host is not one that a replay could give to the kernel.
  await never((ops) => () => ({ inputs: { x }, randomSeed }) => ({
    y: [ops.dropout(x, { rate: 0.5, seed: randomSeed() + 1 })],
  }));
});

testBackends("a body that is run a second time as it wants numbers draws the same random ones", async (backend) => {
  const counts = await compare(backend, numbers(3), (ops) => () => ({ inputs: { x }, randomSeed }) => {
    const dropped = ops.dropout(x, { rate: 0.5, seed: randomSeed() });
    return { y: [ops.device.inFormat(ops.keep(dropped), "f32")] };
  });
  assert.deepEqual(counts, { runs: 2, replays: 1 });
});

testBackends("a body that reads is given its numbers", async (backend) => {
  const ops = createOps(backend);
  const recorder = new Recorder(ops.device, true);
  const read: Promise<unknown>[] = [];
  await rounds(ops, recorder, numbers(2), () => ({ inputs: { x } }) => {
    read.push(x.read(), ops.read([x]));
    return { y: [ops.negate(x)] };
  });
  assert.equal(recorder.counts.runs, 2);
  const last = await Promise.all(read.slice(-2));
  assert.deepEqual(last.flat().map((values) => Array.from(values as Float32Array).join()).at(-1), "2,3,4");
  recorder.dispose();
});

testBackends("a body that keeps a tensor, or goes around the device, is never replayed", async (backend) => {
  const kept: Tensor[] = [];
  const ops = createOps(backend);
  const recorder = new Recorder(ops.device, true);
  await rounds(ops, recorder, numbers(4), () => ({ inputs: { x } }) => {
    kept.push(ops.keep(ops.reshape(ops.square(x), [1, 3])));
    return { y: [ops.negate(x)] };
  });
  const around: Body = ({ inputs: { x } }) => {
    const y = ops.scale(x, 1);
    backend.run(fillKernel, { output: y.view }, { size: 3, value: 7 });
    return { y: [y] };
  };
  const results = await rounds(ops, recorder, numbers(4), () => around);
  results.forEach((values) => assertClose(values, [7, 7, 7], 0));
  assert.deepEqual(recorder.counts, { runs: 8, replays: 0 });
  for (const [round, tensor] of kept.entries()) {
    assertClose(
      await tensor.read(),
      numbers(4)[round].map((x) => x * x),
      0,
    );
  }
  kept.forEach((tensor) => tensor.dispose());
  recorder.dispose();
  assert.equal(backend.memory().storages, 0);
});

testBackends("a body that throws leaves nothing behind", (backend) => {
  const ops = createOps(backend);
  const recorder = new Recorder(ops.device, true);
  const state = ops.tensor([1]);
  const inputs = { x: { data: [1], shape: [1] } };
  const body = (): Outputs<"y"> => {
    ops.square(state);
    throw new RangeError("stop");
  };
  assert.throws(() => recorder.run({ key: "", inputs, randomSeed: () => 0, at: () => 0, body }), { message: "stop" });
  state.dispose();
  assert.equal(backend.memory().storages, 0);
});

testBackends("live memory is level over 50 rounds, and no higher than without replaying", async (backend) => {
  const ops = createOps(backend);
  const peaks: number[] = [];
  for (const enabled of [false, true]) {
    const recorder = new Recorder(ops.device, enabled);
    const levels: number[] = [];
    for (const input of numbers(50, 1000)) {
      await rounds(ops, recorder, [input], () => ({ inputs: { x } }) => ({
        y: [ops.sum(ops.exp(ops.negate(ops.square(ops.scale(x, 0.1)))))],
      }));
      levels.push(backend.memory().bytes);
    }
    // The arena is there from the first replay on.
    assert.ok(levels.every((bytes, round) => round < 2 || bytes === levels[2]), `${levels}`);
    peaks.push(backend.memory().peakBytes);
    recorder.dispose();
  }
  assert.equal(peaks[1], peaks[0]);
});

testBackends("where programs cost little, no run takes more memory than a replay", async (backend) => {
  const ops = createOps(backend);
  const recorder = new Recorder(ops.device, true);
  const inputs = numbers(4, 4096);
  const results = await rounds(ops, recorder, inputs, () => ({ inputs: { x } }) => {
    let y = x;
    for (let i = 0; i < 20; i++) y = ops.scale(y, 2);
    return { y: [y] };
  });
  results.forEach((values, round) => assertClose(values, inputs[round].map((x) => x * 2 ** 20), 0));
  assert.deepEqual(recorder.counts, { runs: 2, replays: 2 });
  // The input, two results in turn, and the copy that is given out.
  const blocks = backend.memory().peakBytes / (4096 * (backend.precision === "float64" ? 8 : 4));
  assert.ok(backend.traits ? blocks > 20 : blocks <= 4, `${blocks} blocks`);
  recorder.dispose();
}, [float64, ...backends]);

testBackends("of recordings of many sizes the arena takes about what the largest does", async (backend) => {
  const ops = createOps(backend);
  const recorder = new Recorder(ops.device, true);
  const inputs = [1500, 2000, 3000, 4096, 1500, 2000, 2000, 4096].map((length) => Array.from({ length }, (_, i) => i));
  await rounds(ops, recorder, inputs, () => ({ inputs: { x } }) => ({ y: [ops.square(ops.square(ops.square(x)))] }));
  const blocks = backend.memory().bytes / (4096 * 4);
  assert.ok(blocks <= 3.3, `${blocks} blocks of the largest`);
  recorder.dispose();
});
