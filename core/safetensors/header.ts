import { UserError } from "../errors.ts";
import { type Dtype, DTYPE_BITS } from "./dtype.ts";
import { isJsonObject, parseJson, showJson } from "../json.ts";

/** Bytes before the header: its length as a little-endian unsigned 64-bit integer. */
export const PREFIX_BYTES = 8;

/** The reference implementation's limit, so that a length made of garbage cannot ask for all the memory there is. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The key of the header that holds free text instead of a tensor. */
export const METADATA_KEY = "__metadata__";

const OPENING_BRACE = 0x7b;

/** One tensor as the header describes it; offsets count bytes from the end of the header. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** A header that keeps every rule of the format. */
export interface Header {
  /** In the order of their bytes in the file. */
  readonly entries: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Throws the error of every broken rule: what cannot be read, and the rule. */
export function refuse(source: string, reason: string): never {
  throw new UserError(`Cannot read ${source} as safetensors: ${reason}`);
}

/**
 * The length of the header, checked before a byte of it is read.
 *
 * @param prefix the first bytes of the file, at least {@link PREFIX_BYTES} of them if the file is that long
 * @param fileLength the length of the whole file in bytes
 * @param source what is read, as it stands in errors: `"model.safetensors"`
 * @returns the length in bytes
 * @throws UserError if there is no length, or it is above the limit or beyond the file
 */
export function headerLength(prefix: Uint8Array, fileLength: number, source: string): number {
  if (fileLength < PREFIX_BYTES) {
    refuse(source, `it holds ${fileLength} bytes, and the length of the header alone takes ${PREFIX_BYTES}`);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    refuse(source, `its header claims ${length} bytes: at most ${MAX_HEADER_BYTES} are allowed`);
  }
  const available = fileLength - PREFIX_BYTES;
  if (length > BigInt(available)) refuse(source, `its header claims ${length} bytes, but only ${available} follow`);
  return Number(length);
}

/**
 * Reads a header and holds it against every rule of the format.
 *
 * @param bytes the header alone
 * @param dataLength how many bytes follow the header in the file
 * @param source what is read, as it stands in errors
 * @throws UserError if any rule is broken; the message says which, and for which tensor
 */
export function parseHeader(bytes: Uint8Array, dataLength: number, source: string): Header {
  const { [METADATA_KEY]: metadata = {}, ...tensors } = parseJsonObject(bytes, source);
  if (!isStringRecord(metadata)) refuse(source, `its ${METADATA_KEY} must be an object that holds only strings`);
  const entries = Object.entries(tensors).map(([name, value]) => parseEntry(name, value, source));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkLayout(entries, dataLength, source);
  return { entries, metadata };
}

function parseJsonObject(bytes: Uint8Array, source: string): Record<string, unknown> {
  // Of the bytes, as a decoder leaves out what the format does not allow before it.
  if (bytes[0] !== OPENING_BRACE) {
    const first = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, 4)).slice(0, 1);
    refuse(source, `its header begins with ${JSON.stringify(first)}: "{" is needed`);
  }
  const header = parseJson(bytes, (reason) => refuse(source, reason.replace(/^it /, "its header ")), {
    distinctKeys: true,
  });
  return header as Record<string, unknown>;
}

function parseEntry(name: string, value: unknown, source: string): TensorEntry {
  const tensor = `tensor ${showJson(name)}`;
  if (!isJsonObject(value)) refuse(source, `${tensor} must be an object of dtype, shape and data_offsets`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) {
    const known = Object.keys(DTYPE_BITS).join(", ");
    refuse(source, `${tensor} has dtype ${showJson(dtype)}: it must be one of ${known}`);
  }
  if (!isCounts(shape)) {
    refuse(source, `${tensor} has shape ${showJson(shape)}: a list of whole numbers from 0 up is needed`);
  }
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    refuse(source, `${tensor} has data_offsets ${showJson(offsets)}: [begin, end] in bytes is needed`);
  }
  const [begin, end] = offsets;
  const bits = shape.reduce((product, length) => product * length, DTYPE_BITS[dtype]);
  // Above this limit a product is rounded, and a wrong size could seem right.
  if (!Number.isSafeInteger(bits)) refuse(source, `${tensor} has shape ${showJson(shape)}: its size in bits overflows`);
  const size = bits / 8;
  if (!Number.isInteger(size)) {
    refuse(source, `${tensor} has shape ${showJson(shape)} of ${dtype}: its ${bits} bits are no whole bytes`);
  }
  if (size !== end - begin) {
    refuse(source, `${tensor} takes ${end - begin} bytes, but shape ${showJson(shape)} of ${dtype} needs ${size}`);
  }
  return { name, dtype, shape, begin, end };
}

/** The tensors must fill the data without holes, overlaps or a rest: nothing can hide in the file. */
function checkLayout(entries: readonly TensorEntry[], dataLength: number, source: string): void {
  let position = 0;
  for (const { name, begin, end } of entries) {
    const tensor = `tensor ${showJson(name)}`;
    if (begin > position) refuse(source, `bytes ${position} to ${begin}, before ${tensor}, belong to no tensor`);
    if (begin < position) refuse(source, `${tensor} begins at byte ${begin}, inside another that ends at ${position}`);
    if (end > dataLength) refuse(source, `${tensor} ends at byte ${end}, beyond the ${dataLength} bytes of data`);
    position = end;
  }
  if (position < dataLength) refuse(source, `its last ${dataLength - position} bytes belong to no tensor`);
}

function isStringRecord(value: unknown): value is Record<string, string> {
  return isJsonObject(value) && Object.values(value).every((item) => typeof item === "string");
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(DTYPE_BITS, value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
