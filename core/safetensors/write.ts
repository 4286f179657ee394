import { writeFileAtomically } from "../files.ts";
import { joined } from "../joined.ts";
import { CHECKSUM_KEY, checksumOf } from "./checksum.ts";
import { type Dtype, DTYPE_BITS } from "./dtype.ts";
import { METADATA_KEY, PREFIX_BYTES } from "./header.ts";
import { type FloatDtype, toStoredFloats } from "./narrow.ts";

/** A tensor to be stored: floating-point numbers, 64-bit integers (counters) as I64, or whole numbers as U16 or U32. */
export interface TensorToStore {
  /** An empty shape is a scalar. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array | Float64Array | BigInt64Array | Uint16Array | Uint32Array;
  /**
   * What floating-point numbers are stored as: F32 or F64, as `data` is, by default. They are rounded to the nearest,
   * of two to the even; what is too large for the dtype becomes infinite. Integers have no choice.
   */
  readonly dtype?: FloatDtype;
}

/**
 * Encodes tensors as a safetensors file. The order of the tensors given does not matter: I64 tensors come first, then
 * F64, F32, U32, BF16, F16 and U16, each sorted by name, as the reference implementation does, so that every tensor is
 * aligned to its element size and equal content gives equal bytes.
 *
 * @param tensors the tensors by name
 * @param metadata free text, sorted by key in the file. Transformers wants `{ format: "pt" }`.
 * @returns the bytes of the file
 * @throws RangeError if the data of a tensor does not have as many values as its shape
 * @throws TypeError if a tensor has the reserved name `__metadata__`, or integers are to be stored as another dtype
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, TensorToStore>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return joined(encodeParts(tensors, metadata));
}

/**
 * The file's parts, one behind the other: numbers that need no other form are where they were, but shared memory
 * is copied, as files refuse it.
 */
function encodeParts(
  tensors: ReadonlyMap<string, TensorToStore>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array[] {
  const ordered = [...tensors].map(([name, tensor]) => toEntry(name, tensor)).sort(byDtypeThenName);
  const header = encodeHeader(ordered, metadata);
  const prefix = new Uint8Array(PREFIX_BYTES);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(header.length), true);
  return [prefix, header, ...ordered.map(({ bytes }) => bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice())];
}

/**
 * Writes tensors to a safetensors file, which is replaced whole or not at all; see {@link encodeSafetensors}.
 *
 * @param path where to write. The folder must exist.
 * @param tensors the tensors by name; their numbers must not change until they are written
 * @param metadata free text
 * @throws UserError if the path cannot be written
 *
 * @example
 * ```ts
 * const weight = { shape: [2, 3], data: new Float32Array(6) };
 * await writeSafetensors("model.safetensors", new Map([["fc.weight", weight]]), { format: "pt" });
 * // Half the bytes: rounded to bfloat16.
 * await writeSafetensors("small.safetensors", new Map([["fc.weight", { ...weight, dtype: "BF16" as const }]]));
 * ```
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, TensorToStore>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileAtomically(path, encodeParts(tensors, metadata));
}

/**
 * Writes tensors as {@link writeSafetensors} does, with a checksum over everything in the metadata, which
 * {@link verifyChecksum} reads.
 *
 * @throws UserError if the path cannot be written
 */
export async function writeWithChecksum(
  path: string,
  tensors: ReadonlyMap<string, TensorToStore>,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const entries = [...tensors].map(([name, tensor]) => toEntry(name, tensor));
  await writeSafetensors(path, tensors, { ...metadata, [CHECKSUM_KEY]: await checksumOf(entries, metadata) });
}

/** A tensor in the form that the file has it in. */
interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function toEntry(name: string, tensor: TensorToStore): Entry {
  checkStorable(name, tensor);
  const { shape, data } = tensor;
  const integers = integersOf(data);
  if (integers) return { name, dtype: integers, shape, bytes: bytesOf(data) };
  const { dtype = data instanceof Float64Array ? "F64" : "F32" } = tensor;
  return { name, dtype, shape, bytes: bytesOf(toStoredFloats(data as Floats, dtype)) };
}

type Floats = Float32Array | Float64Array;

/** The dtype of whole numbers; `null` for others. */
function integersOf(data: TensorToStore["data"]): Dtype | null {
  if (data instanceof BigInt64Array) return "I64";
  if (data instanceof Uint32Array) return "U32";
  return data instanceof Uint16Array ? "U16" : null;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

const DTYPES = Object.keys(DTYPE_BITS);

function byDtypeThenName(a: Entry, b: Entry): number {
  const wideFirst = DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype);
  return wideFirst || (a.name < b.name ? -1 : 1);
}

/** The header, padded with spaces so that the data begins at a multiple of 8 bytes. */
function encodeHeader(entries: readonly Entry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  // Joined by hand, since an object would move names such as "0" to the front and could not hold "__proto__".
  const members = Object.keys(metadata).length > 0 ? [`"${METADATA_KEY}":${encodeMetadata(metadata)}`] : [];
  let begin = 0;
  for (const { name, dtype, shape, bytes } of entries) {
    const end = begin + bytes.length;
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
    begin = end;
  }
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(" ".charCodeAt(0));
  padded.set(json);
  return padded;
}

function encodeMetadata(metadata: Readonly<Record<string, string>>): string {
  const keys = Object.keys(metadata).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`).join(",")}}`;
}

function checkStorable(name: string, { shape, data, dtype }: TensorToStore): void {
  if (name === METADATA_KEY) throw new TypeError(`Cannot store a tensor as ${METADATA_KEY}: the name is reserved`);
  if (dtype && integersOf(data)) throw new TypeError(`Cannot store the integers of "${name}" as ${dtype}`);
  const size = shape.reduce((product, length) => product * length, 1);
  if (size !== data.length || shape.some((length) => !Number.isSafeInteger(length) || length < 0)) {
    throw new RangeError(
      `Cannot store ${data.length} values as "${name}" of shape [${shape}]: the shape holds ${size}`,
    );
  }
}
