import assert from "node:assert/strict";
import { Random } from "../../core/data/random.ts";
import { encodeSafetensors, parseSafetensors, toBigInt64, toFloat32 } from "../../core/safetensors.ts";
import { answered } from "./answers.ts";
import type { Campaign } from "./campaign.ts";
import { changedBytes, changedJson, changedText, oneOf } from "./mutations.ts";

/** What a mutant is called in messages. */
const SOURCE = '"mutant.safetensors"';

const DTYPES = [
  "F64",
  "F32",
  "F16",
  "BF16",
  "I64",
  "I32",
  "U8",
  "BOOL",
  "F8_E4M3",
  "F4",
  "C64",
  "X9",
  "toString",
  "f32",
];
const ODD = [...DTYPES, [0, 2 ** 53], [8, 0], [-4, 4], [0.5, 1], [2 ** 31, 2 ** 31], [2 ** 53, 0], [0, 4, 8]];

const encode = (text: string) => new TextEncoder().encode(text);

/** A file of a header's text and data. */
function fileOf(header: Uint8Array, data: Uint8Array, length = BigInt(header.length)): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, length), true);
  bytes.set(header, 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

/** Three tensors and some metadata as this program writes them, and types that it does not compute with. */
const WHOLE = [
  encodeSafetensors(
    new Map([
      ["conv.weight", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ["scalar", { shape: [], data: Float32Array.of(7) }],
      ["empty", { shape: [0, 4], data: new Float32Array(0) }],
    ]),
    { format: "pt", note: "ä" },
  ),
  fileOf(
    encode(JSON.stringify({
      a: { dtype: "BF16", shape: [3], data_offsets: [0, 6] },
      b: { dtype: "I64", shape: [1, 2], data_offsets: [6, 22] },
      c: { dtype: "BOOL", shape: [2], data_offsets: [22, 24] },
      d: { dtype: "F4", shape: [4], data_offsets: [24, 26] },
    })),
    Uint8Array.from({ length: 26 }, (_, index) => index),
  ),
];

function headerOf(file: Uint8Array): { header: Uint8Array; data: Uint8Array } {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return { header: file.subarray(8, 8 + length), data: file.subarray(8 + length) };
}

/** A broken file of a seed. */
function mutant(random: Random): Uint8Array<ArrayBuffer> {
  const file = oneOf(random, WHOLE);
  const { header, data } = headerOf(file);
  const text = new TextDecoder().decode(header);
  const value = JSON.parse(text);
  switch (random.below(8)) {
    case 0:
      return changedBytes(file, random);
    case 1: {
      const lengths = [
        0n,
        1n,
        -1n,
        7n,
        8n,
        100_000_000n,
        100_000_001n,
        2n ** 31n,
        2n ** 53n,
        2n ** 63n,
        2n ** 64n - 1n,
      ];
      return fileOf(header, data, oneOf(random, [...lengths, BigInt(header.length + 1), BigInt(header.length - 1)]));
    }
    case 2:
      return fileOf(changedText(text, random), data);
    case 3: // a key twice
      return fileOf(encode(text.replace("{", `{${JSON.stringify(oneOf(random, Object.keys(value)))}:{},`)), data);
    case 4: { // one tensor's place given to another, or moved
      const names = Object.keys(value).filter((name) => name !== "__metadata__");
      const [one, other] = [oneOf(random, names), oneOf(random, names)];
      value[one].data_offsets = value[other].data_offsets.map((offset: number) =>
        offset + oneOf(random, [0, 0, 1, -1, 4])
      );
      return fileOf(encode(JSON.stringify(value)), data);
    }
    case 5:
      return fileOf(encode(JSON.stringify(value)), changedBytes(data, random));
    default:
      return fileOf(encode(JSON.stringify(changedJson(value, random, ODD)) ?? ""), data);
  }
}

/** What was read is what another, simpler reading of the file finds there. */
function check(file: Uint8Array<ArrayBuffer>): void {
  const { tensors, metadata } = parseSafetensors(file, SOURCE);
  const { header, data } = headerOf(file);
  const { __metadata__ = {}, ...entries } = JSON.parse(new TextDecoder().decode(header));
  assert.deepEqual({ ...metadata }, { ...__metadata__ });
  assert.deepEqual([...tensors.keys()].sort(), Object.keys(entries).sort());
  let covered = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    const { data_offsets: [begin, end] } = entries[name];
    assert.deepEqual([dtype, [...shape]], [entries[name].dtype, entries[name].shape]);
    assert.deepEqual(bytes, data.subarray(begin, end));
    covered += end - begin;
  }
  assert.equal(covered, data.length);
}

/** Safetensors in memory: headers, offsets, types, sizes. */
export const safetensorsFuzz: Campaign = {
  name: "broken safetensors",
  quick: 2000,
  trial(seed) {
    const file = mutant(new Random(seed).split("safetensors"));
    return answered(SOURCE, () => {
      check(file);
      return Promise.resolve();
    });
  },
};

/** The numbers of such files, where they are converted. */
export const tensorsFuzz: Campaign = {
  name: "safetensors of other types",
  quick: 500,
  trial(seed) {
    const file = mutant(new Random(seed).split("tensors"));
    return answered("", () => {
      for (const [, tensor] of parseSafetensors(file, SOURCE).tensors) {
        const count = tensor.shape.reduce((product, extent) => product * extent, 1);
        const numbers = /^[IUB]\d*(OOL)?$/.test(tensor.dtype) ? toBigInt64(tensor) : toFloat32(tensor);
        assert.equal(numbers.length, count);
      }
      return Promise.resolve();
    });
  },
};
