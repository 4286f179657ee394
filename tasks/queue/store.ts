import { isAbsolute, resolve } from "node:path";
import { isUrl } from "../../core/data/remote_file.ts";
import { UserError } from "../../core/errors.ts";
import { sha256 } from "../../core/sha256.ts";
import { FolderStore } from "./folder_store.ts";
import { s3Address } from "./s3_address.ts";
import { S3Store } from "./s3_store.ts";

/**
 * Where the inputs, checkpoints and results of runs are kept for all machines: files by keys such as `blobs/9f86d081`.
 * What is read was written whole.
 */
export interface Store {
  /** For people: a folder, or `s3://bucket/prefix`. */
  readonly name: string;
  /** Whether there is something of this key. */
  has(key: string): Promise<boolean>;
  /** What is there; `null` if nothing is. @throws UserError if the store fails */
  read(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Writes it in the place of what was there. @throws UserError if the store fails or is full */
  write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Removes it, if it is there. */
  remove(key: string): Promise<void>;
}

/** Where a store is, and what the program must be allowed to do to use it. */
export interface StorePlace {
  /** Folders that are written. */
  readonly writes: readonly string[];
  /** Hosts that are asked. */
  readonly network: readonly string[];
  /** @throws UserError if it cannot be written */
  open(): Promise<Store>;
}

/**
 * Reads `--store`: a folder that all machines have, or `s3://bucket/prefix`.
 *
 * @throws UserError if it is neither, or the environment lacks what the second needs
 */
export function storePlace(text: string): StorePlace {
  if (text.startsWith("s3://")) {
    const address = s3Address(text);
    return { writes: [], network: [address.network], open: () => opened(new S3Store(address)) };
  }
  if (isUrl(text)) {
    throw new UserError(`--store ${text}: Expected a folder that all machines have, or s3://bucket/prefix`);
  }
  const folder = isAbsolute(text) ? text : resolve(text);
  return { writes: [folder], network: [], open: () => opened(new FolderStore(text)) };
}

/** Tries a store before anything is done for it, and tells who looks into it what it is. */
async function opened(store: Store): Promise<Store> {
  const about = "Inputs, checkpoints and results of runs, kept by the tasks compare, sweep, tune and worker.\n";
  await store.write("about.txt", new TextEncoder().encode(about));
  return store;
}

/** Where files of all runs are kept by their hash. They stay. */
export const BLOBS = "blobs";

/** Whether there are bytes of this hash. */
export function hasBlob(store: Store, hash: string): Promise<boolean> {
  return store.has(`${BLOBS}/${hash}`);
}

/**
 * Keeps bytes by their hash, once.
 *
 * @param under the beginning of the key
 * @returns the hash
 */
export async function keepBlob(store: Store, bytes: Uint8Array<ArrayBuffer>, under = BLOBS): Promise<string> {
  const hash = await sha256(bytes);
  if (!await store.has(`${under}/${hash}`)) await store.write(`${under}/${hash}`, bytes);
  return hash;
}

/**
 * Reads what was kept by its hash.
 *
 * @param what what it is to people, with its article
 * @throws UserError if it is not there, or its content is another's
 */
export async function readBlob(
  store: Store,
  hash: string,
  what: string,
  under = BLOBS,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = `${under}/${hash}`;
  const bytes = await store.read(key);
  if (bytes === null) throw new UserError(`Cannot read ${what} from the store ${store.name} as it lacks ${key}`);
  if (await sha256(bytes) === hash) return bytes;
  // Whoever put it there does so again then.
  await store.remove(key);
  throw new UserError(`Cannot use ${what} from the store ${store.name} as ${key} was damaged: it was removed`);
}
