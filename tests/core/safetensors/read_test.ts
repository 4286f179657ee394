import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import "../../../core/deno/install.ts";
import { parseSafetensors, readSafetensors, toBigInt64, toFloat32 } from "../../../core/safetensors.ts";
import { PREFIX_BYTES } from "../../../core/safetensors/header.ts";

// Written by the reference implementation; make.py beside it holds the same values.
const fixture = new URL("../../fixtures/safetensors/every_dtype.safetensors", import.meta.url);
const bytes = await Deno.readFile(fixture);

const FLOATS: Record<string, [shape: number[], values: number[]]> = {
  f64: [[3], [Math.fround(0.1), -2.5, Infinity]],
  f32: [[2, 2], [1.5, -0, 3.4028234663852886e38, Infinity]],
  f16: [[5], [1, -2, 65504, 2 ** -24, -Infinity]],
  bf16: [[2, 2], [1, -2, 2 ** 100, -Infinity]],
  scalar: [[], [0.25]],
  empty: [[0, 4], []],
};

const INTEGERS: Record<string, [shape: number[], values: bigint[]]> = {
  i64: [[2], [2n ** 62n, -1n]],
  i32: [[1, 2], [-(2n ** 31n), 7n]],
  u8: [[3], [0n, 128n, 255n]],
  bool: [[3], [1n, 0n, 1n]],
};

Deno.test("every dtype with numbers that are converted is read with its shape and values", () => {
  const { tensors, metadata } = parseSafetensors(bytes);
  assert.deepEqual({ ...metadata }, { "made by": "safetensors of Python" });
  assert.deepEqual(new Set(tensors.keys()), new Set([...Object.keys(FLOATS), ...Object.keys(INTEGERS)]));
  for (const [name, [shape, values]] of Object.entries(FLOATS)) {
    assert.deepEqual(tensors.get(name)!.shape, shape, name);
    assert.deepEqual(toFloat32(tensors.get(name)!), new Float32Array(values), name);
  }
  for (const [name, [shape, values]] of Object.entries(INTEGERS)) {
    assert.deepEqual(tensors.get(name)!.shape, shape, name);
    assert.deepEqual(toBigInt64(tensors.get(name)!), new BigInt64Array(values), name);
  }
});

Deno.test("conversion is by kind of number: floats are not integers, nor integers floats", () => {
  const { tensors } = parseSafetensors(bytes);
  const refusal = { name: "UserError" };
  for (const name of Object.keys(INTEGERS)) assert.throws(() => toFloat32(tensors.get(name)!), refusal, name);
  for (const name of Object.keys(FLOATS)) assert.throws(() => toBigInt64(tensors.get(name)!), refusal, name);
});

/** Bytes of eight elements. */
const OTHERS: Readonly<Record<string, number>> = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  U32: 32,
  C64: 64,
  U64: 64,
};

Deno.test("a tensor of a type that is not converted leaves the file readable, and is refused by name and type", async () => {
  const path = new URL("../../fixtures/safetensors/other_dtypes.safetensors", import.meta.url);
  const { tensors } = parseSafetensors(await Deno.readFile(path));
  assert.deepEqual(toFloat32(tensors.get("weight")!), new Float32Array([1.5, -2]));
  const others = [...tensors.values()].filter(({ name }) => name !== "weight");
  // Python has no name for F6.
  const written = Object.keys(OTHERS).filter((dtype) => !dtype.startsWith("F6"));
  assert.deepEqual(new Set(others.map(({ dtype }) => dtype as string)), new Set(written));
  for (const { name, dtype, shape, bytes } of others) {
    assert.deepEqual([...bytes], Array.from({ length: OTHERS[dtype] }, (_, byte) => byte), dtype);
    for (const [convert, wanted] of [[toFloat32, "float32"], [toBigInt64, "integers"]] as const) {
      assert.throws(() => convert({ name, dtype, shape, bytes }), (error: Error) => {
        assert.equal(error.name, "UserError");
        const start = `Cannot convert the tensor "${name}" of dtype ${dtype} to ${wanted}: `;
        assert.ok(error.message.startsWith(start), error.message);
        return true;
      });
    }
  }
});

Deno.test("elements of less than a byte are counted in bits", () => {
  for (const [dtype, bytes] of Object.entries(OTHERS)) {
    const header = new TextEncoder().encode(
      JSON.stringify({ a: { dtype, shape: [2, 4], data_offsets: [0, bytes] } }),
    );
    const file = new Uint8Array(PREFIX_BYTES + header.length + bytes);
    new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
    file.set(header, PREFIX_BYTES);
    assert.equal(parseSafetensors(file).tensors.get("a")!.bytes.length, bytes, dtype);
  }
});

Deno.test("converted values share no memory with the file or with each other", () => {
  const tensor = parseSafetensors(bytes).tensors.get("f32")!;
  const first = toFloat32(tensor);
  first.fill(9);
  assert.equal(toFloat32(tensor)[0], 1.5);
});

Deno.test("tensors that are not aligned to their element size are read", () => {
  const header = new TextEncoder().encode(
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}',
  );
  const file = new Uint8Array(PREFIX_BYTES + header.length + 5);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(header.length), true);
  file.set(header, PREFIX_BYTES);
  view.setFloat32(file.length - 4, -1.25, true);
  assert.deepEqual(toFloat32(parseSafetensors(file).tensors.get("b")!), new Float32Array([-1.25]));
});

Deno.test("a file is read as its bytes are", async () => {
  const fromFile = await readSafetensors(fileURLToPath(fixture));
  const fromBytes = parseSafetensors(bytes);
  assert.deepEqual([...fromFile.tensors.keys()], [...fromBytes.tensors.keys()]);
  for (const [name, tensor] of fromFile.tensors) assert.deepEqual(tensor, fromBytes.tensors.get(name));
  assert.deepEqual(fromFile.metadata, fromBytes.metadata);
});

Deno.test("a missing file, a folder and a file of another kind are refused with their path", async () => {
  const folder = await Deno.makeTempDir();
  const text = `${folder}/notes.txt`;
  await Deno.writeTextFile(text, "not a tensor in sight");
  const cases: [path: string, message: string][] = [
    [`${folder}/absent`, `Cannot read the tensors "${folder}/absent" as there is no such file or folder`],
    [folder, `Cannot read the tensors "${folder}" as it is a folder: a file is needed`],
    [text, `Cannot read "${text}" as safetensors: it is text that begins with "not a tensor in sight": `],
  ];
  for (const [path, message] of cases) {
    await assert.rejects(
      readSafetensors(path),
      (error: Error) => error.name === "UserError" && error.message.startsWith(message),
    );
  }
  await Deno.remove(folder, { recursive: true });
});
