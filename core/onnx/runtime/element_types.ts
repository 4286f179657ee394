import { float16BitsOf, float16ToFloat32 } from "../../float16.ts";

/** A kind of numbers in ONNX's tensors. */
export interface ElementType {
  /** For messages: `int64`. */
  readonly name: string;
  /** Of one number. */
  readonly bytes: number;
  /** Numbers as onnxruntime takes them; what is whole there is rounded. */
  encode(values: Float32Array): Uint8Array<ArrayBuffer>;
  /** The numbers of memory that holds nothing else. */
  decode(memory: ArrayBuffer): Float32Array<ArrayBuffer>;
}

interface Numbers {
  readonly buffer: ArrayBuffer;
}

function kind(
  name: string,
  bytes: number,
  made: (values: Float32Array) => Numbers,
  seen: (memory: ArrayBuffer) => ArrayLike<number>,
): ElementType {
  return {
    name,
    bytes,
    encode: (values) => new Uint8Array(made(values).buffer),
    decode: (memory) => Float32Array.from(seen(memory)),
  };
}

const whole = (values: Float32Array) => values.map(Math.round);

/** By their numbers in onnx.proto; strings, complex numbers and those of fewer than 16 bits are not read. */
export const ELEMENT_TYPES: Readonly<Record<number, ElementType>> = {
  1: kind("float32", 4, (values) => Float32Array.from(values), (memory) => new Float32Array(memory)),
  2: kind("uint8", 1, (values) => Uint8Array.from(whole(values)), (memory) => new Uint8Array(memory)),
  3: kind("int8", 1, (values) => Int8Array.from(whole(values)), (memory) => new Int8Array(memory)),
  6: kind("int32", 4, (values) => Int32Array.from(whole(values)), (memory) => new Int32Array(memory)),
  7: kind(
    "int64",
    8,
    (values) => BigInt64Array.from(whole(values), BigInt),
    (memory) => Array.from(new BigInt64Array(memory), Number),
  ),
  9: kind(
    "bool",
    1,
    (values) => Uint8Array.from(values, (value) => value === 0 ? 0 : 1),
    (memory) => new Uint8Array(memory),
  ),
  10: kind(
    "float16",
    2,
    (values) => Uint16Array.from(values, float16BitsOf),
    (memory) => float16ToFloat32(new Uint16Array(memory)),
  ),
  11: kind("float64", 8, (values) => Float64Array.from(values), (memory) => new Float64Array(memory)),
};
