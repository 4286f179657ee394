import { UserError } from "../errors.ts";
import { fileError, isMissing, writeFileAtomically } from "../files.ts";
import { currentFiles } from "../files/current.ts";
import { join } from "../paths.ts";
import { sha256 } from "../sha256.ts";
import { download } from "./download.ts";

/** A file that is downloaded, since a recipe names it so: `{ url: https://…, sha256: … }`. */
export interface RemoteFile {
  /** Its address, by https or http. */
  readonly url: string;
  /** The SHA-256 that its content must have: 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Where downloaded files are kept and how large they may be; both have defaults. */
export interface RemoteFileOptions {
  /** The folder, relative to the working directory. */
  readonly cache?: string;
  /** In bytes. */
  readonly limit?: number;
  /** How long the server may send nothing, in milliseconds. */
  readonly patience?: number;
}

/** Where downloads are kept, relative to the working directory. */
export const CACHE = "runs/cache";
const LIMIT = 2 * 2 ** 30;

/** Whether a text is a URL rather than a path. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z\d+.-]+:\/\//i.test(text);
}

/** An address taken apart; `null` if it is none. `URL.parse`, which is younger than many engines in use. */
export function parseUrl(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null;
}

/** A file's name in messages: its path or its address. */
export function nameOfFile(file: string | RemoteFile): string {
  return typeof file === "string" ? file : file.url;
}

/**
 * What speaks against downloading a file, before the network is asked.
 *
 * @param file an address and, unless it was left out, its hash
 * @returns a sentence, or `null` for a file that can be downloaded
 */
export function refusalOf({ url, sha256 }: { readonly url: string; readonly sha256?: unknown }): string | null {
  const address = parseUrl(url);
  if (!address || !["https:", "http:"].includes(address.protocol)) {
    return `Cannot download "${url}": expected an address that begins with https:// or http://`;
  }
  if (sha256 !== undefined) return null;
  return `Cannot use "${url}" without its SHA-256 as nothing else tells whether the server sent the right content: ` +
    `write { url: ${url}, sha256: … } with what "sha256sum FILE" prints for a copy that you trust ` +
    `(macOS: shasum -a 256 FILE, Windows: certutil -hashfile FILE SHA256)`;
}

/**
 * Reads a file by its URL. Only content with the right hash is given out and kept; what is kept is read again without
 * the network.
 *
 * @param file the address and the hash
 * @param options where it is kept and how large it may be: `runs/cache` and 2 GiB by default
 * @returns the file's bytes
 * @throws UserError if the file cannot be downloaded, its hash is another, or it cannot be kept
 *
 * @example
 * ```ts
 * const bytes = await readRemoteFile({ url: "https://example.org/train.bin", sha256: "9f86d081…" });
 * ```
 */
export async function readRemoteFile(
  file: RemoteFile,
  { cache = CACHE, limit = LIMIT, patience }: RemoteFileOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const refusal = refusalOf(file);
  if (refusal) throw new UserError(refusal);
  const expected = file.sha256.toLowerCase();
  const path = join(cache, expected);
  const kept = await readIfThere(path, limit);
  // A copy that was damaged since is fetched anew.
  if (kept && await sha256(kept) === expected) return kept;

  const bytes = await download(file.url, limit, patience);
  const found = await sha256(bytes);
  if (found !== expected) {
    throw new UserError(
      `Cannot use "${file.url}" as its ${bytes.length} bytes are not what was expected and were not kept: ` +
        `their SHA-256 is ${found}, expected ${expected}`,
    );
  }
  await makeFolder(cache);
  await writeFileAtomically(path, bytes);
  return bytes;
}

/** A file of the cache; `null` if it is not there, or too large to be what was kept. */
async function readIfThere(path: string, limit: number): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const { kind, size } = await currentFiles().look(path);
    // A pipe or a device that somebody has put there may have no end.
    if (kind === "other") {
      throw new UserError(`Cannot read the downloaded file "${path}" as it is no file: remove it`);
    }
    return kind === "file" && size > limit ? null : await currentFiles().read(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw fileError(error, "read the downloaded file", path);
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await currentFiles().makeFolder(path, true);
  } catch (error) {
    throw fileError(error, "make the folder of downloaded files", path);
  }
}
