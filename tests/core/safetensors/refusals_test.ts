import assert from "node:assert/strict";
import { parseSafetensors } from "../../../core/safetensors.ts";

/** A file of the given header, as text or as a value, and so many bytes of data. */
function fileOf(header: unknown, dataLength = 0): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  return withPrefix(BigInt(json.length), new Uint8Array([...json, ...new Uint8Array(dataLength)]));
}

function withPrefix(headerLength: bigint, rest: Uint8Array): Uint8Array<ArrayBuffer> {
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, headerLength, true);
  return new Uint8Array([...prefix, ...rest]);
}

const f32 = (shape: unknown, begin: unknown, end: unknown) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

/** Each rule of the format: what breaks it, a file that does, and what the refusal must say. */
const REFUSALS: [rule: string, file: Uint8Array<ArrayBuffer>, message: string][] = [
  ["a file without a whole length", new Uint8Array(5), "it holds 5 bytes"],
  ["an empty file", new Uint8Array(0), "it holds 0 bytes"],
  [
    "a header above the limit",
    withPrefix(100_000_001n, new Uint8Array(2)),
    "claims 100000001 bytes: at most 100000000",
  ],
  ["a length of garbage", new Uint8Array(8).fill(255), "claims 18446744073709551615 bytes"],
  ["a header that ends beyond the file", withPrefix(10n, new Uint8Array(2)), "claims 10 bytes, but only 2 follow"],
  ["an empty header", fileOf(""), 'begins with "": "{" is needed'],
  ["a header that is a list", fileOf("[]"), 'begins with "[": "{" is needed'],
  ["a header after a space", fileOf(" {}"), 'begins with " ": "{" is needed'],
  ["a header after a byte-order mark", fileOf("\ufeff{}"), '"{" is needed'],
  ["a header that is not UTF-8", withPrefix(3n, new Uint8Array([0x7b, 0xff, 0x7d])), "is not UTF-8"],
  ["a header that is not JSON", fileOf('{"a":}'), "its header is no JSON: its line 1, column "],
  ["two values in the header", fileOf("{}{}"), "its header is no JSON: its line 1, column "],
  ["a name given twice", fileOf('{"a":1,"a":2}'), 'has the key "a" twice'],
  ["a name given twice in different spellings", fileOf('{"a":1,"\\u0061":2}'), 'has the key "a" twice'],
  ["a dtype given twice", fileOf('{"a":{"dtype":"U8","dtype" : "I32"}}'), 'has the key "dtype" twice'],
  ["metadata that is no object", fileOf({ __metadata__: "pt" }), "its __metadata__ must be an object that holds only"],
  [
    "metadata that is not text",
    fileOf({ __metadata__: { epoch: 3 } }),
    "its __metadata__ must be an object that holds",
  ],
  ["a tensor that is no object", fileOf({ a: 1 }), 'tensor "a" must be an object'],
  [
    "an unknown dtype",
    fileOf({ a: { ...f32([1], 0, 4), dtype: "F3" } }, 4),
    'has dtype "F3": it must be one of BOOL, F4, F6_E2M3',
  ],
  [
    "a dtype that is a method of objects",
    fileOf({ a: { ...f32([1], 0, 4), dtype: "toString" } }, 4),
    'dtype "toString"',
  ],
  ["a missing dtype", fileOf({ a: { shape: [1], data_offsets: [0, 4] } }, 4), "has dtype nothing"],
  ["a missing shape", fileOf({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4), "has shape nothing"],
  ["a fractional shape", fileOf({ a: f32([0.5, 2], 0, 4) }, 4), "has shape [0.5,2]: a list of whole numbers"],
  ["a negative shape", fileOf({ a: f32([-1, -1], 0, 4) }, 4), "has shape [-1,-1]: a list of whole numbers"],
  ["a shape that is text", fileOf({ a: f32(["1"], 0, 4) }, 4), 'has shape ["1"]: a list of whole numbers'],
  ["a size that overflows", fileOf({ a: f32([2 ** 30, 2 ** 30], 0, 4) }, 4), "its size in bits overflows"],
  [
    "a size that is not a number",
    fileOf('{"a":{"dtype":"U8","shape":[9e200,9e200,0],"data_offsets":[0,0]}}'),
    "has shape",
  ],
  ["missing offsets", fileOf({ a: { dtype: "F32", shape: [1] } }, 4), "has data_offsets nothing"],
  ["one offset", fileOf({ a: { ...f32([1], 0, 4), data_offsets: [0] } }, 4), "has data_offsets [0]"],
  ["three offsets", fileOf({ a: { ...f32([1], 0, 4), data_offsets: [0, 4, 8] } }, 4), "has data_offsets [0,4,8]"],
  ["offsets that run backwards", fileOf({ a: f32([1], 4, 0) }, 4), "has data_offsets [4,0]: [begin, end]"],
  ["negative offsets", fileOf({ a: f32([1], -4, 0) }, 4), "has data_offsets [-4,0]: [begin, end]"],
  ["a size unlike the shape's", fileOf({ a: f32([3], 0, 8) }, 8), "takes 8 bytes, but shape [3] of F32 needs 12"],
  [
    "a size unlike that of a type that is not converted",
    fileOf({ a: { ...f32([3], 0, 12), dtype: "C64" } }, 12),
    "takes 12 bytes, but shape [3] of C64 needs 24",
  ],
  [
    "a size unlike that of a type of less than a byte",
    fileOf({ a: { ...f32([8], 0, 8), dtype: "F6_E3M2" } }, 8),
    "takes 8 bytes, but shape [8] of F6_E3M2 needs 6",
  ],
  [
    "a part of a byte",
    fileOf({ a: { ...f32([3], 0, 2), dtype: "F4" } }, 2),
    'tensor "a" has shape [3] of F4: its 12 bits are no whole bytes',
  ],
  ["a hole before the first tensor", fileOf({ a: f32([1], 4, 8) }, 8), 'bytes 0 to 4, before tensor "a", belong to no'],
  ["a hole between tensors", fileOf({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), 'bytes 4 to 8, before tensor "b"'],
  ["overlapping tensors", fileOf({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8), '"b" begins at byte 4, inside another'],
  [
    "one place for two tensors",
    fileOf({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4),
    '"b" begins at byte 0, inside another',
  ],
  [
    "a tensor beyond the data",
    fileOf({ a: f32([2], 0, 8) }, 7),
    'tensor "a" ends at byte 8, beyond the 7 bytes of data',
  ],
  ["bytes after the last tensor", fileOf({ a: f32([1], 0, 4) }, 6), "its last 2 bytes belong to no tensor"],
];

for (const [rule, file, message] of REFUSALS) {
  Deno.test(`${rule} is refused`, () => {
    assert.throws(() => parseSafetensors(file, '"w.safetensors"'), (error: Error) => {
      assert.equal(error.name, "UserError");
      assert.ok(error.message.startsWith('Cannot read "w.safetensors" as safetensors: '), error.message);
      assert.ok(error.message.includes(message), error.message);
      return true;
    });
  });
}

Deno.test("what only looks like a broken rule is read", () => {
  const headers: [header: unknown, dataLength: number][] = [
    ["{}   ", 0],
    [
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\"a\\"":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
      2,
    ],
    [{ b: f32([1], 4, 8), a: f32([1], 0, 4) }, 8],
    [{ 'x""': f32([1], 0, 4), 'y""': f32([1], 4, 8) }, 8],
    [{ a: f32([1], 0, 4), "empty, named last": f32([0], 0, 0) }, 4],
    [{ empty: f32([0], 0, 0), a: f32([1], 0, 4), end: f32([0, 7], 4, 4) }, 4],
    ['{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1],
    [{ __metadata__: { a: '{"a":"a"}', dtype: "a" }, a: f32([], 0, 4) }, 4],
  ];
  const names = headers.map(([header, length]) => [...parseSafetensors(fileOf(header, length)).tensors.keys()]);
  assert.deepEqual(names, [
    [],
    ["a", '"a"'],
    ["a", "b"],
    ['x""', 'y""'],
    ["empty, named last", "a"],
    ["empty", "a", "end"],
    ["__proto__"],
    ["a"],
  ]);
});
