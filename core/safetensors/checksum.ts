import { UserError } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import type { StoredTensor } from "./dtype.ts";

/** The key of the metadata that holds the checksum. */
export const CHECKSUM_KEY = "sha256";

/**
 * One SHA-256 over all that a safetensors file says: metadata, names, types, shapes and numbers. The order of tensors
 * in the file does not matter.
 *
 * @param metadata a checksum in it is left out
 */
export async function checksumOf(
  tensors: readonly Pick<StoredTensor, "name" | "dtype" | "shape" | "bytes">[],
  { [CHECKSUM_KEY]: _sum, ...metadata }: Readonly<Record<string, string>>,
): Promise<string> {
  const parts: unknown[] = [];
  for (const { name, dtype, shape, bytes } of tensors.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    parts.push([name, dtype, shape, await sha256(bytes)]);
  }
  const sorted = Object.entries(metadata).sort(([a], [b]) => a < b ? -1 : 1);
  return await sha256(new TextEncoder().encode(JSON.stringify([sorted, parts])));
}

/**
 * Holds a file of our own against the checksum in it: a bit that turned on the disk must not go into a training.
 *
 * @param what what the file is, with its article: `the checkpoint`
 * @param remedy what helps, to follow a colon
 * @throws UserError if there is no checksum, or it is another's
 */
export async function verifyChecksum(
  path: string,
  { tensors, metadata }: {
    readonly tensors: ReadonlyMap<string, StoredTensor>;
    readonly metadata: Readonly<Record<string, string>>;
  },
  what: string,
  remedy: string,
): Promise<void> {
  if (metadata[CHECKSUM_KEY] === await checksumOf([...tensors.values()], metadata)) return;
  throw new UserError(
    `Cannot use ${what} "${path}" as it is damaged: its content is not that of its checksum; ${remedy}`,
  );
}
