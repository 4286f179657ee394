import assert from "node:assert/strict";
import { DeviceError, UserError } from "../../../core/errors.ts";
import type { Computed } from "../../../tasks/predict/answers.ts";
import type { Prepared } from "../../../tasks/predict/predictor.ts";
import { WaitingLine } from "../../../tasks/serve/waiting_line.ts";

const textOf = (prepared: Prepared) => "text" in prepared ? prepared.text : assert.fail();

/** A model that answers the length of texts, and notes its batches. */
function lengths(batches: string[][], compute: (texts: readonly string[]) => Promise<void> = () => Promise.resolve()) {
  return {
    prepare: (input: unknown, place: string) => {
      const prepared = input as Prepared;
      return textOf(prepared) === "bad"
        ? Promise.reject(new UserError(`Cannot use ${place}`))
        : Promise.resolve(prepared);
    },
    run: async (inputs: readonly Prepared[]): Promise<Computed[]> => {
      const texts = inputs.map(textOf);
      batches.push(texts);
      await compute(texts);
      return texts.map(({ length }) => ({ logits: Float32Array.of(length), cut: false }));
    },
  };
}

const asked = (...texts: string[]) =>
  texts.map((text, index) => ({ input: { text, pair: null }, place: `inputs[${index}]` }));

const numbers = (computed: readonly Computed[]) =>
  computed.map((own) => "logits" in own ? own.logits[0] : assert.fail());

const never = (error: unknown) => assert.fail(String(error));

Deno.test("what waits while a batch is computed is the next one, in order, and everybody gets the own answers", async () => {
  const batches: string[][] = [];
  const line = new WaitingLine(lengths(batches), 3, never);
  const first = line.add(asked("a"));
  const answers = await Promise.all([
    first,
    line.add(asked("bb", "ccc")),
    line.add(asked("dddd")),
    line.add(asked("e")),
  ]);
  assert.deepEqual(answers.map(numbers), [[1], [2, 3], [4], [1]]);
  assert.deepEqual(batches, [["a", "bb", "ccc"], ["dddd", "e"]]);
  assert.deepEqual([line.length, line.batches], [0, 2]);
});

Deno.test("whoever comes in the moment in which the line ends is answered, too", async () => {
  const line = new WaitingLine(lengths([]), 3, never);
  let left = 50;
  const next = async (): Promise<void> => {
    assert.deepEqual(numbers(await line.add(asked("abc"))), [3]);
    // Microtasks later, one more each time, than the answer before.
    for (let step = 0; step < left % 7; step++) await null;
    if (--left > 0) await next();
  };
  await next();
});

Deno.test("an input that the model refuses is the failure of its request alone", async () => {
  const batches: string[][] = [];
  const line = new WaitingLine(
    lengths(batches, (texts) => {
      return texts.includes("worse") ? Promise.reject(new UserError("too much")) : Promise.resolve();
    }),
    8,
    never,
  );
  const [good, bad, worse, last] = await Promise.allSettled(
    [asked("a", "bb"), asked("c", "bad"), asked("worse"), asked("dd")].map((own) => line.add(own)),
  );
  assert.deepEqual(good.status === "fulfilled" && numbers(good.value), [1, 2]);
  assert.deepEqual(bad.status === "rejected" && bad.reason.message, "Cannot use inputs[1]");
  assert.deepEqual(worse.status === "rejected" && worse.reason.message, "too much");
  assert.deepEqual(last.status === "fulfilled" && numbers(last.value), [2]);
  assert.deepEqual(batches, [["a", "bb", "c", "worse", "dd"], ["a"], ["bb"], ["c"], ["worse"], ["dd"]]);
});

Deno.test("a request with a refused input lasts as long as its others are computed, so that nothing is closed under them", async () => {
  let isRunning = false;
  const computing = Promise.withResolvers<void>();
  const line = new WaitingLine(
    lengths([], async () => {
      isRunning = true;
      setTimeout(computing.resolve, 5);
      await computing.promise;
      isRunning = false;
    }),
    3,
    never,
  );
  await assert.rejects(line.add(asked("bad", "good", "bad")), { message: "Cannot use inputs[0]" });
  assert.equal(isRunning, false);
  assert.deepEqual([line.length, line.batches], [0, 1]);
});

Deno.test("a device that fails is told, and all its requests fail", async () => {
  const told: DeviceError[] = [];
  const lost = new DeviceError("it was lost");
  const line = new WaitingLine(lengths([], () => Promise.reject(lost)), 2, (error) => told.push(error));
  const ends = await Promise.allSettled([line.add(asked("a", "b")), line.add(asked("c"))]);
  assert.deepEqual(ends.map((end) => end.status === "rejected" && end.reason), [lost, lost]);
  assert.deepEqual(told, [lost, lost]);
});
