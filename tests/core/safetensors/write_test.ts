import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import {
  encodeSafetensors,
  type FloatDtype,
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

Deno.test("the bytes are those of the reference implementation for every type of floating-point numbers", async () => {
  const tensors = new Map<string, TensorToStore>([
    ["half", { ...floats([3], [0.1, -65504, 2 ** -24]), dtype: "F16" }],
    ["brain", { ...floats([3], [1, -2, 2 ** 100]), dtype: "BF16" }],
    ["single", { shape: [2], data: new Float64Array([0.5, -1]), dtype: "F32" }],
    ["double", { shape: [2], data: new Float64Array([0.1, -2.5]) }],
    ["count", { shape: [1], data: new BigInt64Array([3n]) }],
  ]);
  const expected = await Deno.readFile(new URL("../../fixtures/safetensors/all_floats.safetensors", import.meta.url));
  assert.deepEqual(encodeSafetensors(tensors, { format: "pt" }), expected);
});

/** The bits in which numbers are stored. */
function storedBits(data: Float32Array | Float64Array, dtype: FloatDtype): string[] {
  const { bytes } = parseSafetensors(encodeSafetensors(new Map([["w", { shape: [data.length], data, dtype }]]))).tensors
    .get("w")!;
  const width = bytes.length / data.length;
  return Array.from(data, (_, place) => bytes.slice(place * width, (place + 1) * width).reverse().toHex());
}

Deno.test("numbers are rounded to the nearest, of two to the even, once", () => {
  const one = 1, half = 2 ** -11, brain = 2 ** -8;
  const cases: Record<Exclude<FloatDtype, "F64">, [value: number, bits: string][]> = {
    F16: [
      [one + half, "3c00"], // the middle of two, the lower of them even
      [one + 3 * half, "3c02"], // the upper of them even
      [one + half + 2 ** -40, "3c01"], // above the middle by less than float32 can tell
      [one + half - 2 ** -40, "3c00"],
      [65519.99, "7bff"],
      [65520, "7c00"],
      [-1e300, "fc00"],
      [2 ** -25, "0000"],
      [2 ** -25 * 1.01, "0001"],
      [2 ** -14 - 2 ** -24, "03ff"],
      [-0, "8000"],
      [Infinity, "7c00"],
      [NaN, "7e00"],
    ],
    BF16: [
      [one + brain, "3f80"],
      [one + 3 * brain, "3f82"],
      [one + brain + 2 ** -40, "3f81"],
      [one + brain - 2 ** -40, "3f80"],
      [-(one + brain + 2 ** -40), "bf81"],
      [-(one + brain - 2 ** -40), "bf80"],
      [(2 - 2 ** -7) * 2 ** 127, "7f7f"],
      [(2 - 2 ** -8) * 2 ** 127, "7f80"], // the middle of the largest and what would follow
      [(2 - 2 ** -8 - 2 ** -40) * 2 ** 127, "7f7f"],
      [-1e300, "ff80"],
      [2 ** -134, "0000"], // half of the smallest
      [2 ** -134 * 1.01, "0001"],
      [1e-320, "0000"],
      [-1e-320, "8000"],
      [-Infinity, "ff80"],
      [NaN, "7fc0"],
    ],
    F32: [[0.1, "3dcccccd"], [one + 2 ** -24, "3f800000"], [1e300, "7f800000"], [NaN, "7fc00000"], [-0, "80000000"]],
  };
  for (const [dtype, list] of Object.entries(cases)) {
    const values = new Float64Array(list.map(([value]) => value));
    const bits = storedBits(values, dtype as FloatDtype);
    list.forEach(([value, expected], place) => assert.equal(bits[place], expected, `${value} as ${dtype}`));
  }
  assert.deepEqual(storedBits(new Float32Array([0.1, -1]), "F64"), ["3fb99999a0000000", "bff0000000000000"]);
});

Deno.test("NaN stays NaN whatever bits of it are cut off", () => {
  const data = new Float32Array(new Uint32Array([0x7f800001, 0xffffffff]).buffer);
  assert.deepEqual(storedBits(data, "BF16"), ["7fc0", "7fc0"]);
  for (const bits of storedBits(data, "F16")) assert.match(bits, /^[7f]e00$/);
});

Deno.test("every number that a narrow type has is written and read back as it is", () => {
  const patterns = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
  const values = {
    F16: new Float32Array(new Float16Array(patterns.buffer)),
    BF16: new Float32Array(Uint32Array.from(patterns, (bits) => bits << 16).buffer),
  };
  for (const [dtype, data] of Object.entries(values)) {
    for (const given of [data, new Float64Array(data)]) {
      const tensor = { shape: [data.length], data: given, dtype: dtype as FloatDtype };
      const read = parseSafetensors(encodeSafetensors(new Map([["w", tensor]]))).tensors.get("w")!;
      assert.equal(read.dtype, dtype);
      assert.ok(toFloat32(read).every((value, place) => Object.is(value, data[place])), dtype);
    }
  }
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

Deno.test("a shape that does not hold the data is a RangeError, the reserved name and integers as floats a TypeError", () => {
  for (const shape of [[3], [-1, -2], [0.5, 4], []]) {
    assert.throws(() => encodeSafetensors(new Map([["w", floats(shape, [1, 2])]])), {
      name: "RangeError",
      message: /^Cannot store 2 values as "w" of shape/,
    });
  }
  assert.throws(() => encodeSafetensors(new Map([["__metadata__", floats([1], [1])]])), TypeError);
  const count = { shape: [1], data: new BigInt64Array(1), dtype: "F16" } as const;
  assert.throws(() => encodeSafetensors(new Map([["count", count]])), {
    name: "TypeError",
    message: 'Cannot store the integers of "count" as F16',
  });
});
