import { writeFileAtomically } from "../files.ts";
import { DTYPE_BYTES } from "./dtype.ts";
import { METADATA_KEY, PREFIX_BYTES } from "./header.ts";

/** A tensor to be stored: float32 values as F32, 64-bit integers (counters) as I64. */
export interface TensorToStore {
  /** An empty shape is a scalar. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array | BigInt64Array;
}

/**
 * Encodes tensors as a safetensors file. The order of the tensors given does not matter: I64 tensors come first, then
 * F32, each sorted by name, as the reference implementation does, so that every tensor is aligned to its element size
 * and equal content gives equal bytes.
 *
 * @param tensors The tensors by name.
 * @param metadata Free text, sorted by key in the file. Transformers wants `{ format: "pt" }`.
 * @returns The bytes of the file.
 * @throws {RangeError} If the data of a tensor does not have as many values as its shape.
 * @throws {TypeError} If a tensor has the reserved name `__metadata__`.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, TensorToStore>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const ordered = [...tensors].sort(byDtypeThenName);
  const header = encodeHeader(ordered, metadata);
  const dataLength = ordered.reduce((sum, [, { data }]) => sum + data.byteLength, 0);

  const file = new Uint8Array(PREFIX_BYTES + header.length + dataLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, PREFIX_BYTES);
  let position = PREFIX_BYTES + header.length;
  for (const [, { data }] of ordered) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return file;
}

/**
 * Writes tensors to a safetensors file, which is replaced whole or not at all; see {@link encodeSafetensors}.
 *
 * @param path Where to write. The folder must exist.
 * @param tensors The tensors by name.
 * @param metadata Free text.
 * @throws {UserError} If the path cannot be written.
 *
 * @example
 * ```ts
 * const weight = { shape: [2, 3], data: new Float32Array(6) };
 * await writeSafetensors("model.safetensors", new Map([["fc.weight", weight]]), { format: "pt" });
 * ```
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, TensorToStore>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileAtomically(path, encodeSafetensors(tensors, metadata));
}

type NamedTensor = readonly [name: string, tensor: TensorToStore];

function dtypeOf({ data }: TensorToStore): "F32" | "I64" {
  return data instanceof Float32Array ? "F32" : "I64";
}

function byDtypeThenName([nameA, a]: NamedTensor, [nameB, b]: NamedTensor): number {
  const wideFirst = DTYPE_BYTES[dtypeOf(b)] - DTYPE_BYTES[dtypeOf(a)];
  return wideFirst || (nameA < nameB ? -1 : 1);
}

/** The header, padded with spaces so that the data begins at a multiple of 8 bytes. */
function encodeHeader(tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  // Joined by hand, since an object would move names such as "0" to the front and could not hold "__proto__".
  const members = Object.keys(metadata).length > 0 ? [`"${METADATA_KEY}":${encodeMetadata(metadata)}`] : [];
  let begin = 0;
  for (const [name, tensor] of tensors) {
    checkStorable(name, tensor);
    const end = begin + tensor.data.byteLength;
    const entry = { dtype: dtypeOf(tensor), shape: tensor.shape, data_offsets: [begin, end] };
    members.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
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

function checkStorable(name: string, { shape, data }: TensorToStore): void {
  if (name === METADATA_KEY) throw new TypeError(`Cannot store a tensor as ${METADATA_KEY}: the name is reserved`);
  const size = shape.reduce((product, length) => product * length, 1);
  if (size !== data.length || shape.some((length) => !Number.isSafeInteger(length) || length < 0)) {
    throw new RangeError(
      `Cannot store ${data.length} values as "${name}" of shape [${shape}]: the shape holds ${size}`,
    );
  }
}
