import { join } from "node:path";
import { UserError } from "./errors.ts";
import { fileError } from "./files.ts";

/** The file that a folder is locked by; it is there while somebody works in the folder. */
export const LOCK = ".lock";

/** A folder that nobody else writes to until this is disposed of. */
export interface FolderLock extends Disposable {
  /** The folder. */
  readonly folder: string;
  /** Whether it is still the folder that was locked: it may have been removed or moved, with another in its place. */
  holds(): Promise<boolean>;
}

/**
 * Keeps a second run out of a folder. The operating system holds the lock, and takes it away when the process ends,
 * however it ends, so that a dead owner's file locks nothing.
 *
 * @param folder must be there
 * @param work what the other one does, for the message: `another run writes to it`
 * @throws UserError if another process, or another run of this one, holds it
 */
export async function lockFolder(folder: string, work: string): Promise<FolderLock> {
  const path = join(folder, LOCK);
  while (true) {
    const file = await open(path);
    let taken = false;
    try {
      taken = await file.tryLock(true);
      if (!taken) {
        throw new UserError(
          `Cannot write to "${folder}" as ${work}${await owner(path)}: wait for it to end, or name another folder`,
        );
      }
      // The one before may have removed the file after it was opened here: a lock of that would lock nobody out.
      if (!await isSame(file, path)) {
        file.close();
        continue;
      }
      await file.truncate();
      await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
    } catch (error) {
      if (taken) giveFree(file, path);
      else file.close();
      throw fileError(error, "lock", path);
    }
    return { folder, holds: () => isSame(file, path), [Symbol.dispose]: () => giveFree(file, path) };
  }
}

function giveFree(file: Deno.FsFile, path: string): void {
  try {
    // First: once it is closed, another may have taken it. A folder moved away may have one in its place.
    if (Deno.statSync(path).ino === file.statSync().ino) Deno.removeSync(path);
  } catch {
    // It went with its folder, or the system keeps open files. It locks nobody out.
  }
  file.close();
}

async function open(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { create: true, write: true });
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

/** Whether the name still stands for the file that was opened. Windows lets nobody remove an open one. */
async function isSame(file: Deno.FsFile, path: string): Promise<boolean> {
  const [own, there] = [await file.stat(), await Deno.stat(path).catch(() => null)];
  return there !== null && own.ino === there.ino && own.dev === there.dev;
}

/** The process, where the system lets its number be read. */
async function owner(path: string): Promise<string> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return /^\d+\n$/.test(text) ? ` (process ${text.trim()})` : "";
}
