/**
 * Reading and writing safetensors: eight bytes with the length of a JSON header, the header, and the tensors' bytes
 * one after the other. Every rule of the format is checked, so that a file that is read can be trusted to be whole. A
 * tensor of a type that nothing here computes with is refused where it is converted, not where the file is read.
 *
 * @module
 */

import { expectArguments } from "./arguments.ts";
import { fileError } from "./files.ts";
import { currentFiles } from "./files/current.ts";
import type { OpenFile } from "./files/files.ts";
import { foreignBytes, START_BYTES } from "./foreign_bytes.ts";
import type { StoredTensor } from "./safetensors/dtype.ts";
import { type Header, headerLength, parseHeader, PREFIX_BYTES, refuse } from "./safetensors/header.ts";

export { type Dtype, type StoredTensor, toBigInt64, toFloat32, toUnsigned } from "./safetensors/dtype.ts";
export type { FloatDtype } from "./safetensors/narrow.ts";
export { verifyChecksum } from "./safetensors/checksum.ts";
export { encodeSafetensors, type TensorToStore, writeSafetensors, writeWithChecksum } from "./safetensors/write.ts";

/** The content of a safetensors file. */
export interface Safetensors {
  /** By name, in the order of their bytes in the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The free text of the header's `__metadata__`; empty if there is none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads safetensors from memory. The tensors are views of the given bytes.
 *
 * @param bytes the content of a whole file
 * @param source what is read, as it stands in errors
 * @throws UserError if a rule of the format is broken; the message names the rule and the tensor, or what the bytes
 * are instead and what to do
 */
export function parseSafetensors(bytes: Uint8Array<ArrayBuffer>, source = "the bytes"): Safetensors {
  refuseForeign(bytes.subarray(0, START_BYTES), source);
  const dataStart = PREFIX_BYTES + headerLength(bytes, bytes.length, source);
  const data = bytes.subarray(dataStart);
  return withData(parseHeader(bytes.subarray(PREFIX_BYTES, dataStart), data.length, source), data);
}

/**
 * Reads a safetensors file. The header is read and checked before memory is taken for the tensors, so that a file of
 * another kind is refused at once, however large it is.
 *
 * @param path the path as the user wrote it
 * @throws UserError if the file cannot be read, or a rule of the format is broken
 *
 * @example
 * ```ts
 * const { tensors, metadata } = await readSafetensors("teacher.safetensors");
 * const kernel = toFloat32(tensors.get("conv1.weight")!); // [outputs, inputs, height, width]
 * ```
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  return await withHeader(path, async (header, file, dataLength) => {
    return withData(header, await readBytes(file, file.size - dataLength, dataLength, `"${path}"`));
  });
}

/** Says what a file is that is of another kind altogether, which no rule of the format would. */
function refuseForeign(start: Uint8Array, source: string): void {
  const [, file] = source.match(/^"(.*)"$/s) ?? [];
  const foreign = foreignBytes(start, file ?? "FILE");
  if (foreign !== null) refuse(source, foreign);
}

/**
 * Reads the shapes of a file's tensors, in the order of their bytes, and none of their numbers.
 *
 * @param path the path as the user wrote it
 * @throws UserError as {@link readSafetensors}
 */
export async function readShapes(path: string): Promise<Map<string, readonly number[]>> {
  expectArguments("readShapes", { path: [path, "a path"] });
  return await withHeader(path, ({ entries }) => new Map(entries.map(({ name, shape }) => [name, shape])));
}

/** Opens a file, reads and checks its header, and hands over the file from behind it on. */
async function withHeader<Result>(
  path: string,
  body: (header: Header, file: OpenFile, dataLength: number) => Result | Promise<Result>,
): Promise<Result> {
  const source = `"${path}"`;
  try {
    using file = await currentFiles().open(path);
    const { size } = file;
    const start = await readBytes(file, 0, Math.min(START_BYTES, size), source);
    refuseForeign(start, source);
    const prefix = start.subarray(0, PREFIX_BYTES);
    const header = await readBytes(file, prefix.length, headerLength(prefix, size, source), source);
    const dataLength = size - PREFIX_BYTES - header.length;
    return await body(parseHeader(header, dataLength, source), file, dataLength);
  } catch (error) {
    throw fileError(error, "read the tensors", path);
  }
}

async function readBytes(
  file: OpenFile,
  begin: number,
  length: number,
  source: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await file.read(begin, length);
  if (bytes.length < length) refuse(source, "it became shorter while it was read");
  return bytes;
}

function withData({ entries, metadata }: Header, data: Uint8Array<ArrayBuffer>): Safetensors {
  const tensors = new Map(
    entries.map((
      { name, dtype, shape, begin, end },
    ) => [name, { name, dtype, shape, bytes: data.subarray(begin, end) }]),
  );
  return { tensors, metadata };
}
