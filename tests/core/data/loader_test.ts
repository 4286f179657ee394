import assert from "node:assert/strict";
import { BatchLoader, firstIndices } from "../../../core/data/loader.ts";

function batchesOf(loader: BatchLoader, epoch: number, firstBatch?: number): number[][] {
  return Array.from(loader.epoch(epoch, firstBatch), ({ indices }) => [...indices]);
}

const shuffled = { batchSize: 4, shuffleSeed: 1 };

Deno.test("without a seed the examples come in the order given, the last batch with what is left", () => {
  const loader = new BatchLoader(Uint32Array.of(9, 7, 5, 3, 1), { batchSize: 2 });
  assert.equal(loader.batchesPerEpoch, 3);
  assert.deepEqual(batchesOf(loader, 0), [[9, 7], [5, 3], [1]]);
  assert.deepEqual(batchesOf(loader, 1), batchesOf(loader, 0));
});

Deno.test("the partial batch is dropped when asked, a full one is not", () => {
  assert.deepEqual(batchesOf(new BatchLoader(5, { batchSize: 2, dropLast: true }), 0), [[0, 1], [2, 3]]);
  assert.deepEqual(batchesOf(new BatchLoader(4, { batchSize: 2, dropLast: true }), 0), [[0, 1], [2, 3]]);
});

Deno.test("every epoch has every example once, in an order of its own", () => {
  const loader = new BatchLoader(10, shuffled);
  const epochs = [0, 1, 2].map((epoch) => batchesOf(loader, epoch).flat());
  for (const order of epochs) assert.deepEqual(order.toSorted((a, b) => a - b), [...firstIndices(10)]);
  assert.equal(new Set(epochs.map(String)).size, 3);
});

Deno.test("a dropped batch is not always of the same examples", () => {
  const loader = new BatchLoader(5, { ...shuffled, dropLast: true });
  const seen = new Set([0, 1, 2, 3, 4, 5, 6, 7].flatMap((epoch) => batchesOf(loader, epoch).flat()));
  assert.equal(seen.size, 5);
});

Deno.test("an epoch's order follows from seed and epoch alone, whatever was asked before", () => {
  const straight = new BatchLoader(10, shuffled);
  const expected = [0, 1, 2].map((epoch) => batchesOf(straight, epoch));
  const jumping = new BatchLoader(10, shuffled);
  for (const epoch of [2, 0, 1]) assert.deepEqual(batchesOf(jumping, epoch), expected[epoch]);
  assert.notDeepEqual(batchesOf(new BatchLoader(10, { ...shuffled, shuffleSeed: 2 }), 0), expected[0]);
});

Deno.test("an epoch taken up again at a batch goes on as it would have", () => {
  const whole = batchesOf(new BatchLoader(10, shuffled), 3);
  assert.deepEqual(batchesOf(new BatchLoader(10, shuffled), 3, 1), whole.slice(1));
  assert.deepEqual(batchesOf(new BatchLoader(10, shuffled), 3, 3), []);
});

Deno.test("a batch says where it stands", () => {
  const positions = Array.from(new BatchLoader(5, shuffled).epoch(6), ({ epoch, batch }) => [epoch, batch]);
  assert.deepEqual(positions, [[6, 0], [6, 1]]);
});

Deno.test("what is done to a batch or to the examples given does not reach the loader", () => {
  const examples = Uint32Array.of(1, 2, 3);
  const loader = new BatchLoader(examples, { batchSize: 2 });
  examples.fill(0);
  loader.indices(0, 0).fill(0);
  assert.deepEqual(batchesOf(loader, 0), [[1, 2], [3]]);
});

Deno.test("a batch size, a count or a batch that cannot be is refused", () => {
  for (const batchSize of [0, -1, 1.5, NaN]) assert.throws(() => new BatchLoader(4, { batchSize }), RangeError);
  assert.throws(() => new BatchLoader(0, { batchSize: 1 }), /Cannot make batches from 0 examples/);
  assert.throws(() => new BatchLoader(3, { batchSize: 4, dropLast: true }), /Cannot make whole batches of 4 from 3/);
  assert.throws(() => new BatchLoader(-1, { batchSize: 1 }), RangeError);
  const loader = new BatchLoader(3, { batchSize: 2 });
  for (const batch of [2, -1, 0.5]) assert.throws(() => loader.indices(0, batch), RangeError);
});

Deno.test("batches of examples of about equal length still have every example once, in an order of each epoch's own", () => {
  const lengths = Array.from({ length: 403 }, (_, index) => (index * 37) % 101);
  const loader = new BatchLoader(403, { batchSize: 4, shuffleSeed: 3, lengths });
  const spread = (batches: readonly number[][]) =>
    batches.reduce((sum, batch) => {
      const own = batch.map((index) => lengths[index]);
      return sum + Math.max(...own) - Math.min(...own);
    }, 0) / batches.length;
  const [first, second] = [0, 1].map((epoch) => batchesOf(loader, epoch));
  assert.deepEqual(first.flat().toSorted((a, b) => a - b), [...firstIndices(403)]);
  assert.notDeepEqual(first, second);
  assert.equal(first.at(-1)!.length, 3, "the partial batch stays last");
  const plain = batchesOf(new BatchLoader(403, { batchSize: 4, shuffleSeed: 3 }), 0);
  assert.ok(spread(first) < spread(plain) / 8, `${spread(first)} against ${spread(plain)}`);
  const rising = first.slice(0, 32).map(([index]) => lengths[index]);
  assert.notDeepEqual(rising, rising.toSorted((a, b) => a - b), "short batches do not come first");
});

Deno.test("examples of one length are drawn as without lengths, whatever their order in the data set", () => {
  const options = { batchSize: 8, shuffleSeed: 3 };
  const loader = new BatchLoader(640, { ...options, lengths: new Uint8Array(640).fill(9) });
  const first = batchesOf(loader, 0).map((batch) => batch.filter((index) => index < 320).length);
  assert.ok(first.every((half) => half < 8), `batches of one half of the data: ${first}`);
  const sorted = (batches: number[][]) => batches.map(String).toSorted();
  assert.deepEqual(sorted(batchesOf(loader, 0)), sorted(batchesOf(new BatchLoader(640, options), 0)));
});

Deno.test("balanced epochs have as many of each class, every example in its turn, and those without a class once", () => {
  // 30 of class 0, 6 of class 2, 4 of class 5, 2 of none.
  const classes = Array.from({ length: 42 }, (_, i) => i < 30 ? 0 : i < 36 ? 2 : i < 40 ? 5 : -1);
  const loader = new BatchLoader(42, { batchSize: 10, shuffleSeed: 3, balance: classes });
  const epochs = [0, 1, 2].map((epoch) => [...loader.epoch(epoch)].flatMap(({ indices }) => [...indices]));
  for (const drawn of epochs) {
    assert.equal(drawn.length, 42);
    const counts = (label: number) => drawn.filter((example) => classes[example] === label).length;
    assert.equal(counts(-1), 2);
    assert.deepEqual([0, 2, 5].map((label) => counts(label)).sort(), [13, 13, 14]);
    const times = (example: number) => drawn.filter((other) => other === example).length;
    assert.equal(times(40), 1);
    const of = (label: number) => classes.flatMap((own, example) => own === label ? [times(example)] : []);
    for (const label of [0, 2, 5]) assert.ok(Math.max(...of(label)) - Math.min(...of(label)) <= 1, `${of(label)}`);
  }
  assert.notDeepEqual(epochs[0], epochs[1]);
  const again = new BatchLoader(42, { batchSize: 10, shuffleSeed: 3, balance: classes });
  assert.deepEqual([...again.indices(1, 2)], epochs[1].slice(20, 30));
});
