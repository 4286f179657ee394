import { sha256 } from "./sha256.ts";

/** The key of the checksum, behind all others. */
const KEY = "checksum";

/** A file's value without its checksum, and whether that is right; `null` where it has none. */
export interface OpenedJson {
  readonly value: unknown;
  readonly isWhole: boolean | null;
}

/** An object as JSON with a checksum of itself, so that a digit which turned on the disk is noticed. */
export async function sealJson(value: object): Promise<string> {
  // As it will be read: what is not finite is null then.
  const written = JSON.parse(JSON.stringify(value));
  return JSON.stringify({ ...written, [KEY]: await checksumOf(written) }, null, 2) + "\n";
}

/** Takes the checksum out of a value that was read, and compares it. */
export async function openJson(read: unknown): Promise<OpenedJson> {
  if (typeof read !== "object" || read === null || !Object.hasOwn(read, KEY)) return { value: read, isWhole: null };
  const { [KEY]: checksum, ...value } = read as Record<string, unknown>;
  return { value, isWhole: checksum === await checksumOf(value) };
}

async function checksumOf(value: unknown): Promise<string> {
  return await sha256(new TextEncoder().encode(JSON.stringify(value)));
}
