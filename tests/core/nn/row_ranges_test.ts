import assert from "node:assert/strict";
import { MOST_NUMBERS } from "../../../core/backend/backend.ts";
import { freeze } from "../../../core/nn/frozen_weights.ts";
import { ParameterStore } from "../../../core/nn/parameter_store.ts";
import { mostPerStorage, type NamedShape, rowRanges } from "../../../core/nn/row_ranges.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { sizeOf } from "../../../core/tensor.ts";
import { backends, cpu, float64, testBackends } from "../../support/backends.ts";
import { pseudoRandom } from "../../support/numbers.ts";

const words: NamedShape = { name: "words", shape: [7, 40], byRows: true };

Deno.test("the words of a multilingual BERT are three ranges of rows on every adapter, other large tensors one", () => {
  const large = { name: "words", shape: [119547, 768], byRows: true };
  const ranges = rowRanges(large, MOST_NUMBERS);
  assert.deepEqual(ranges.map(({ name, shape, begin }) => [name, shape, begin / 768]), [
    ["words[0:43690]", [43690, 768], 0],
    ["words[43690:87380]", [43690, 768], 43690],
    ["words[87380:119547]", [32167, 768], 87380],
  ]);
  for (const { shape, whole } of ranges) assert.ok(sizeOf(shape) <= MOST_NUMBERS && whole === "words");
  assert.deepEqual(rowRanges({ ...large, byRows: false }, MOST_NUMBERS).map(({ name }) => name), ["words"]);
  // A storage ends where the next view may begin: two rows of 65 numbers would take 192.
  assert.equal(rowRanges({ ...large, shape: [4, 65] }, 130).length, 4);
  const small = { ...large, shape: [43690, 768] };
  assert.deepEqual(rowRanges(small, MOST_NUMBERS).map(({ name }) => name), ["words"]);
});

testBackends("what a storage holds does not depend on the backend, unless that has room for less", (backend) => {
  assert.equal(mostPerStorage(backend), MOST_NUMBERS);
  Object.assign(backend, { mostNumbers: 1000 });
  assert.equal(mostPerStorage(backend), 1000);
}, [float64, ...backends]);

testBackends("a divided table is set and read as a whole, and asked for by rows alone", async (backend) => {
  const ops = createOps(backend);
  const specs = [{ name: "a", shape: [3] }, words, { name: "b", shape: [2, 2], rateScale: 2 }];
  const numbers = specs.map(({ shape }, index) => pseudoRandom(index, sizeOf(shape)).map(Math.fround));
  const forms = [(data: Float64Array) => Float32Array.from(data), (data: Float64Array) => [...data]];
  for (const form of forms) {
    // Three rows of 40 numbers at a time; 130 is no place where a storage may end.
    const store = new ParameterStore(ops, specs, 130);
    specs.forEach(({ name }, index) => store.set(name, form(numbers[index])));
    assert.deepEqual(
      store.ranges.map(({ name, shape }) => [name, shape]),
      [["a", [3]], ["words[0:3]", [3, 40]], ["words[3:6]", [3, 40]], ["words[6:7]", [1, 40]], ["b", [2, 2]]],
    );
    assert.equal(store.count, 3 + 280 + 4);
    assert.deepEqual([...store.tensors.keys()], store.ranges.map(({ name }) => name));
    const read = await store.read();
    assert.deepEqual([...read.keys()], ["a", "words", "b"]);
    specs.forEach(({ name }, index) => assert.deepEqual([...read.get(name)!], [...numbers[index]]));
    assert.deepEqual(store.rows("words").map(({ shape: [rows] }) => rows), [3, 3, 1]);
    assert.deepEqual(store.rows("a"), [store.get("a")]);
    const refused = { name: "RangeError", message: 'Cannot give "words" as one tensor: its rows are in 3' };
    assert.throws(() => store.get("words"), refused);
    assert.throws(() => store.set("words", [1, 2]), {
      message: 'Cannot set "words" of shape [7, 40] to 2 numbers',
    });
    const weights = weightsFrom(store.tensors, undefined, store.ranges);
    assert.deepEqual(weights.rows("words"), store.rows("words"));
    assert.deepEqual(weights.rows("b"), [weights.get("b")]);
    assert.throws(() => weights.get("words"), { message: /^Cannot give the weight "words" as one tensor: / });
    store.dispose();
  }
  assert.equal(backend.memory().storages, 0);
}, [cpu, ...backends.slice(1)]);

testBackends(
  "a table is frozen in ranges of rows where it is too large, and all of them are freed",
  async (backend) => {
    Object.assign(backend, { mostNumbers: 128 });
    const ops = createOps(backend);
    const numbers = Float32Array.from(pseudoRandom(1, 280));
    const frozen = freeze(ops, { parameters: [words] }, new Map([["words", numbers]]));
    const rows = await ops.read(frozen.rows("words"));
    assert.deepEqual(rows.map(({ length }) => length), [120, 120, 40]);
    assert.deepEqual(rows.flatMap((row) => [...row]), [...numbers]);
    frozen.dispose();
    assert.equal(backend.memory().storages, 0);
    const whole = { ...words, byRows: false };
    assert.throws(() => freeze(ops, { parameters: [whole] }, new Map([["words", numbers]])), {
      name: "UserError",
      message: /^Cannot hold the weight words \[7, 40\]: it has .*; a smaller model, or --backend cpu$/,
    });
  },
  [cpu],
);

testBackends("several tables that are not of one width, or none, are refused", (backend) => {
  const ops = createOps(backend);
  const at = ops.tensor([0]);
  const tables = [ops.full([2, 3], 0), ops.full([2, 4], 0)];
  assert.throws(() => ops.embedding(tables, at), {
    message: "Cannot look up rows in a tensor of shape [2, 4]: expected [rows, 3]",
  });
  assert.throws(() => ops.embedding([], at), { message: "Cannot look up rows in no tensor: expected [rows, width]" });
}, [cpu]);
