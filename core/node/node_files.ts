import { closeSync, constants, fstatSync, lstatSync, openSync, read as readFrom, rmdirSync } from "node:fs";
import { lstat, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import process from "node:process";
import { promisify } from "node:util";
import type { EntryKind, FileInfo, Files, FolderEntry, OpenFile } from "../files/files.ts";
import { temporaryName } from "../files/temporary.ts";
import { basename, dirname, join } from "../paths.ts";
import { failureOf } from "./failure.ts";
import { openLock } from "./lock_file.ts";

/** The files of the machine, by Node.js and what has its modules. */
export const nodeFiles: Files = {
  paths: process.platform === "win32" ? "windows" : "posix",
  workingFolder: () => process.cwd(),
  look,
  isLink: async (path) => (await lstat(path)).isSymbolicLink(),
  realPath: (path) => realpath(path),
  list,
  read: readWhole,
  open: openParts,
  write,
  create: async (path) => await (await open(path, "wx")).close(),
  append,
  makeFolder: async (path, around) => void await mkdir(path, { recursive: around }),
  rename,
  remove: (path) => rm(path, { recursive: true }),
  removeEmptyFolder,
  openLock,
  failureOf,
  networkRefusal: () => null,
};

/** The most bytes that one call reads: some systems take no more than 2 GiB. */
const MOST_AT_ONCE = 2 ** 30;

interface Kinds {
  isFile(): boolean;
  isDirectory(): boolean;
}

function kindOf(entry: Kinds): EntryKind {
  return entry.isDirectory() ? "folder" : entry.isFile() ? "file" : "other";
}

async function look(path: string): Promise<FileInfo> {
  const info = await stat(path);
  return { kind: kindOf(info), size: info.size };
}

async function list(path: string): Promise<FolderEntry[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
}

/** Into bytes of its own: Node.js's are of another class, and it refuses what is larger than 2 GiB. */
async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  using file = await openParts(path);
  // What is no file on a disk says no size.
  return file.size > 0 ? await file.read(0, file.size) : new Uint8Array(await readFile(path));
}

function openParts(path: string): Promise<OpenFile> {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    return Promise.resolve({
      size,
      read: (begin, length) => readPart(file, begin, length),
      [Symbol.dispose]: () => closeSync(file),
    });
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

const readInto = promisify(readFrom);

async function readPart(file: number, begin: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const wanted = Math.min(length - filled, MOST_AT_ONCE);
    const { bytesRead } = await readInto(file, bytes, filled, wanted, begin + filled);
    if (bytesRead === 0) return bytes.subarray(0, filled);
    filled += bytesRead;
  }
  return bytes;
}

/**
 * The bytes go to a temporary name in the same folder, reach the disk, and only then take the name. A failure leaves no
 * temporary file; those that a process left which was killed go when a run begins in their folder.
 */
async function write(path: string, bytes: Uint8Array | readonly Uint8Array[]): Promise<void> {
  // The same folder is the same file system, without which a rename is a copy and no longer atomic.
  const temporary = join(dirname(path), temporaryName(basename(path)));
  try {
    await writeToDisk(temporary, bytes instanceof Uint8Array ? [bytes] : bytes);
    await rename(temporary, path);
  } catch (error) {
    // Not there if it could not be created: then there is nothing to clean up, and the first error is the one to tell.
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** To a file that is there: Node.js's own flag would make it. */
async function append(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_APPEND);
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

async function writeToDisk(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, "wx");
  try {
    // Each goes where the one before ended.
    for (const part of parts) await file.writeFile(part);
    // Without this a crash of the machine just after the rename could leave the name with no content.
    await file.sync();
  } finally {
    await file.close();
  }
}

function removeEmptyFolder(path: string): void {
  try {
    if (lstatSync(path).isDirectory()) rmdirSync(path);
  } catch {
    // Somebody else uses it.
  }
}
