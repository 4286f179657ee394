import { float16BitsOf, float16ToFloat32 } from "../../float16.ts";

/** A kind of numbers in ONNX's tensors. */
export interface ElementType {
  /** For messages: `int64`. */
  readonly name: string;
  /** Of one number. */
  readonly bytes: number;
  /** The least and the largest number of a type of whole ones; `null` for those that have fractions. */
  readonly range: readonly [least: number, most: number] | null;
  /**
   * Numbers as onnxruntime takes them; what is whole there is rounded.
   *
   * @throws OutsideType for a number that the type has not
   */
  encode(values: Float32Array): Uint8Array<ArrayBuffer>;
  /** The numbers of memory that holds nothing else. */
  decode(memory: ArrayBuffer): Float32Array<ArrayBuffer>;
}

/** That a type has not a number that it was to take: cut to its bits it would be another one. */
export class OutsideType extends Error {
  constructor(readonly value: number, type: string, [least, most]: readonly [number, number]) {
    super(`takes whole numbers from ${least} to ${most} (${type}), and was given ${value}`);
  }
}

interface Numbers {
  readonly buffer: ArrayBuffer;
}

function kind(
  name: string,
  bytes: number,
  made: (values: Float32Array) => Numbers,
  seen: (memory: ArrayBuffer) => ArrayLike<number>,
  range: ElementType["range"] = null,
): ElementType {
  const taken = (values: Float32Array) => range ? values.map((value) => wholeWithin(value, name, range)) : values;
  return {
    name,
    bytes,
    range,
    encode: (values) => new Uint8Array(made(taken(values)).buffer),
    decode: (memory) => Float32Array.from(seen(memory)),
  };
}

function wholeWithin(value: number, type: string, [least, most]: readonly [number, number]): number {
  const whole = Math.round(value);
  if (whole >= least && whole <= most) return whole;
  throw new OutsideType(value, type, [least, most]);
}

/** By their numbers in onnx.proto; strings, complex numbers and those of fewer than 16 bits are not read. */
export const ELEMENT_TYPES: Readonly<Record<number, ElementType>> = {
  1: kind("float32", 4, (values) => Float32Array.from(values), (memory) => new Float32Array(memory)),
  2: kind("uint8", 1, (values) => Uint8Array.from(values), (memory) => new Uint8Array(memory), [0, 255]),
  3: kind("int8", 1, (values) => Int8Array.from(values), (memory) => new Int8Array(memory), [-128, 127]),
  6: kind(
    "int32",
    4,
    (values) => Int32Array.from(values),
    (memory) => new Int32Array(memory),
    [-(2 ** 31), 2 ** 31 - 1],
  ),
  7: kind(
    "int64",
    8,
    (values) => BigInt64Array.from(values, BigInt),
    (memory) => Array.from(new BigInt64Array(memory), Number),
    [-(2 ** 63), 2 ** 63 - 1024], // the next float64 is one too many
  ),
  9: kind("bool", 1, (values) => Uint8Array.from(values), (memory) => new Uint8Array(memory), [0, 1]),
  10: kind(
    "float16",
    2,
    (values) => Uint16Array.from(values, float16BitsOf),
    (memory) => float16ToFloat32(new Uint16Array(memory)),
  ),
  11: kind("float64", 8, (values) => Float64Array.from(values), (memory) => new Float64Array(memory)),
};
