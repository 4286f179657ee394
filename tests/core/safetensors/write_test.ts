import assert from "node:assert/strict";
import {
  encodeSafetensors,
  parseSafetensors,
  readSafetensors,
  type TensorToStore,
  toBigInt64,
  toFloat32,
  writeSafetensors,
} from "../../../core/safetensors.ts";

function floats(shape: number[], values: number[]): TensorToStore {
  return { shape, data: new Float32Array(values) };
}

/** The tensors of f32_i64.safetensors, in another order than the file has. */
const TENSORS = new Map<string, TensorToStore>([
  ["fc.weight", floats([3, 1], [0.5, -1, 2])],
  ['é "quoted"', floats([1], [7])],
  ["bn.weight", floats([2], [1, 1])],
  ["2", floats([0], [])],
  ["bn.num_batches_tracked", { shape: [], data: new BigInt64Array([12n]) }],
]);

Deno.test("the bytes are those of the reference implementation", async () => {
  const expected = await Deno.readFile(new URL("../../fixtures/safetensors/f32_i64.safetensors", import.meta.url));
  assert.deepEqual(encodeSafetensors(TENSORS, { format: "pt" }), expected);
});

Deno.test("the bytes depend on the content, not on the order in which it is given", () => {
  const reversed = new Map([...TENSORS].reverse());
  assert.deepEqual(
    encodeSafetensors(reversed, { a: "1", b: "2" }),
    encodeSafetensors(TENSORS, { b: "2", a: "1" }),
  );
});

Deno.test("what is written to a file is read back bit for bit", async () => {
  const path = await Deno.makeTempFile();
  const special = floats([2, 3], [-0, NaN, -Infinity, 1e-45, 0.1, 3.4e38]);
  const counter = { shape: [], data: new BigInt64Array([-(2n ** 63n)]) };
  await writeSafetensors(path, new Map([["special", special], ["counter", counter]]), { note: "é\n" });
  const { tensors, metadata } = await readSafetensors(path);
  assert.deepEqual({ ...metadata }, { note: "é\n" });
  assert.deepEqual(tensors.get("special")!.shape, [2, 3]);
  assert.deepEqual(toFloat32(tensors.get("special")!), special.data);
  assert.deepEqual(toBigInt64(tensors.get("counter")!), counter.data);
  await Deno.remove(path);
});

Deno.test("the data begins at a multiple of 8 bytes whatever the length of the names", () => {
  for (let length = 1; length <= 16; length++) {
    const file = encodeSafetensors(new Map([["n".repeat(length), floats([1], [1])]]));
    assert.equal(new DataView(file.buffer).getBigUint64(0, true) % 8n, 0n);
    assert.equal(parseSafetensors(file).tensors.size, 1);
  }
});

Deno.test("a view into a larger array stores its own values alone", () => {
  const data = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
  const { tensors } = parseSafetensors(encodeSafetensors(new Map([["part", { shape: [2], data }]])));
  assert.deepEqual(toFloat32(tensors.get("part")!), new Float32Array([2, 3]));
});

Deno.test("names that objects treat apart are stored like any other", () => {
  const tensors = new Map([["__proto__", floats([1], [1])], ["1", floats([1], [2])], ["b", floats([1], [3])]]);
  const read = parseSafetensors(encodeSafetensors(tensors)).tensors;
  assert.deepEqual([...read].map(([name, tensor]) => [name, ...toFloat32(tensor)]), [["1", 2], ["__proto__", 1], [
    "b",
    3,
  ]]);
});

Deno.test("no tensors are a file too", () => {
  assert.equal(parseSafetensors(encodeSafetensors(new Map())).tensors.size, 0);
});

Deno.test("a shape that does not hold the data is a RangeError, the reserved name a TypeError", () => {
  for (const shape of [[3], [-1, -2], [0.5, 4], []]) {
    assert.throws(() => encodeSafetensors(new Map([["w", floats(shape, [1, 2])]])), {
      name: "RangeError",
      message: /^Cannot store 2 values as "w" of shape/,
    });
  }
  assert.throws(() => encodeSafetensors(new Map([["__metadata__", floats([1], [1])]])), TypeError);
});
