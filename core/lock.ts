import { UserError } from "./errors.ts";
import { fileError, readText, removePath } from "./files.ts";
import { currentFiles } from "./files/current.ts";
import type { LockFile } from "./files/files.ts";
import { join } from "./paths.ts";

/** The file that a folder is locked by; it is there while somebody works in the folder. */
export const LOCK = ".lock";

/** A folder that nobody else writes to until this is disposed of. */
export interface FolderLock extends Disposable {
  /** The folder. */
  readonly folder: string;
  /** Whether it is still the folder that was locked: it may have been removed or moved, with another in its place. */
  holds(): Promise<boolean>;
}

/** Somebody else works in a folder. */
export class FolderHeld extends UserError {}

/** Removes all that is in a locked folder but the lock. */
export async function clearLocked(folder: string): Promise<void> {
  for (const { name } of await currentFiles().list(folder)) if (name !== LOCK) await removePath(join(folder, name));
}

/**
 * Keeps a second run out of a folder. The lock ends with the program, however it ends, so that a dead owner's file
 * locks nothing.
 *
 * @param folder must be there
 * @param work what the other one does, for the message: `another run writes to it`
 * @throws FolderHeld if another process, or another run of this one, holds it
 */
export async function lockFolder(folder: string, work: string): Promise<FolderLock> {
  const path = join(folder, LOCK);
  while (true) {
    const file = await open(path);
    try {
      const outcome = await file.take();
      if (outcome === "taken") {
        return { folder, holds: () => file.holds(), [Symbol.dispose]: () => file[Symbol.dispose]() };
      }
      if (outcome === "held") {
        throw new FolderHeld(
          `Cannot write to "${folder}" as ${work}${await owner(path)}: wait for it to end, or name another folder`,
        );
      }
    } catch (error) {
      file[Symbol.dispose]();
      throw fileError(error, "lock", path);
    }
    // The one before removed the file after it was opened here.
    file[Symbol.dispose]();
  }
}

async function open(path: string): Promise<LockFile> {
  try {
    return await currentFiles().openLock(path);
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

/** The process, where the system lets its number be read. */
async function owner(path: string): Promise<string> {
  const text = await readText(path).catch(() => "");
  // Node.js crosses out those that have ended, and adds more to a line.
  const [, process] = text.match(/^[#\n]*(\d+)[ \n]/) ?? [];
  return process ? ` (process ${process})` : "";
}
