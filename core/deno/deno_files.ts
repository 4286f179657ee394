import type { EntryKind, FileInfo, Files, FolderEntry, LockFile, OpenFile } from "../files/files.ts";
import { temporaryName, temporaryOf } from "../files/temporary.ts";
import { basename, dirname, join } from "../paths.ts";
import { failureOf } from "./failure.ts";
import { networkRefusal } from "./network_refusal.ts";

/** The files of the machine, by Deno. */
export const denoFiles: Files = {
  // Asked each time, as tests of a browser's bundle import this where there is no Deno.
  get paths() {
    return Deno.build.os === "windows" ? "windows" as const : "posix" as const;
  },
  workingFolder: () => Deno.cwd(),
  look,
  isLink: async (path) => (await Deno.lstat(path)).isSymlink,
  realPath: (path) => Deno.realPath(path),
  list,
  read: (path) => Deno.readFile(path),
  open,
  write,
  create: (path) => Deno.writeFile(path, new Uint8Array(), { createNew: true }),
  append: (path, bytes) => Deno.writeFile(path, bytes, { append: true, create: false }),
  makeFolder: (path, around) => Deno.mkdir(path, { recursive: around }),
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path, { recursive: true }),
  removeEmptyFolder,
  openLock,
  failureOf,
  networkRefusal,
};

function kindOf({ isFile, isDirectory }: { readonly isFile: boolean; readonly isDirectory: boolean }): EntryKind {
  return isDirectory ? "folder" : isFile ? "file" : "other";
}

async function look(path: string): Promise<FileInfo> {
  const info = await Deno.stat(path);
  return { kind: kindOf(info), size: info.size };
}

async function list(path: string): Promise<FolderEntry[]> {
  const entries: FolderEntry[] = [];
  for await (const entry of Deno.readDir(path)) entries.push({ name: entry.name, kind: kindOf(entry) });
  return entries;
}

async function open(path: string): Promise<OpenFile> {
  const file = await Deno.open(path);
  try {
    const { size } = await file.stat();
    return { size, read: (begin, length) => readPart(file, begin, length), [Symbol.dispose]: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function readPart(file: Deno.FsFile, begin: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  // Some that are no files, and end at once, cannot be sought in.
  if (length > 0) await file.seek(begin, Deno.SeekMode.Start);
  for (let filled = 0; filled < length;) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) return bytes.subarray(0, filled);
    filled += count;
  }
  return bytes;
}

/** How often a file is written again whose temporary one another writer took for abandoned. */
const TRIES = 3;

/**
 * The bytes go to a temporary name in the same folder, reach the disk, and only then take the name. A failure leaves no
 * temporary file; those that a process left which was killed go with the next write of the same file.
 */
async function write(path: string, bytes: Uint8Array | readonly Uint8Array[]): Promise<void> {
  const parts = bytes instanceof Uint8Array ? [bytes] : bytes;
  for (let left = TRIES; !await writeOnce(path, parts, --left === 0););
  await removeAbandoned(path);
}

/** Whether it was written; it was not where another writer has removed the file before it was locked. */
async function writeOnce(path: string, parts: readonly Uint8Array[], isLast: boolean): Promise<boolean> {
  // The same folder is the same file system, without which a rename is a copy and no longer atomic.
  const temporary = join(dirname(path), temporaryName(basename(path)));
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true });
    // Tells it from what a dead process left, until it has its name. Not every file system has locks.
    await file.lock(true).catch(() => {});
    for (const part of parts) {
      for (let written = 0; written < part.length;) written += await file.write(part.subarray(written));
    }
    // Without this a crash of the machine just after the rename could leave the name with no content.
    await file.sync();
    try {
      await Deno.rename(temporary, path);
    } catch (error) {
      if (isLast || !(error instanceof Deno.errors.NotFound)) throw error;
      return false;
    }
    return true;
  } catch (error) {
    // Not there if it could not be created: then there is nothing to clean up, and the first error is the one to tell.
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/** Removes what writes of a file that were cut off left beside it: nobody has it locked. The file itself is written. */
async function removeAbandoned(path: string): Promise<void> {
  const [folder, isOfFile] = [dirname(path), temporaryOf(basename(path))];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!isOfFile(name)) continue;
      using file = await Deno.open(join(folder, name), { write: true });
      if (await file.tryLock(true)) await Deno.remove(join(folder, name));
    }
  } catch {
    // What is wanted is on the disk; this is tidiness.
  }
}

function removeEmptyFolder(path: string): void {
  try {
    if (Deno.lstatSync(path).isDirectory) Deno.removeSync(path);
  } catch {
    // Somebody else uses it.
  }
}

/** The operating system holds the lock, and takes it away when the process ends: a dead owner's file locks nothing. */
async function openLock(path: string): Promise<LockFile> {
  const file = await Deno.open(path, { create: true, write: true });
  let taken = false;
  return {
    take: async () => {
      taken = await file.tryLock(true);
      if (!taken) return "held";
      // The one before may have removed the file after it was opened here.
      if (!await isSame(file, path)) {
        taken = false;
        return "gone";
      }
      await file.truncate();
      await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
      return "taken";
    },
    holds: () => isSame(file, path),
    [Symbol.dispose]: () => {
      if (taken) removeOwn(file, path);
      file.close();
    },
  };
}

/** Before the lock's file is closed: then another may have taken it. A folder moved away may have one in its place. */
function removeOwn(file: Deno.FsFile, path: string): void {
  try {
    if (Deno.statSync(path).ino === file.statSync().ino) Deno.removeSync(path);
  } catch {
    // It went with its folder, or the system keeps open files. It locks nobody out.
  }
}

/** Whether the name still stands for the file that was opened. Windows lets nobody remove an open one. */
async function isSame(file: Deno.FsFile, path: string): Promise<boolean> {
  const [own, there] = [await file.stat(), await Deno.stat(path).catch(() => null)];
  return there !== null && own.ino === there.ino && own.dev === there.dev;
}
