import { basename, dirname, join, relative } from "node:path";
import { UserError } from "./errors.ts";
import { visiblePath } from "./visible.ts";

/**
 * Turns an operating-system error about a path the user named into a {@link UserError} that says what was being done,
 * to which path, what is wrong with it, and what helps. An error of any other kind is not the user's, and is returned
 * as it is. Everything that a run reads and writes goes through it.
 *
 * @param error what was thrown
 * @param action the action that failed, to follow "Cannot": `read the recipe`
 * @param path the path as the user wrote it
 * @returns the error to throw
 */
export function fileError(error: unknown, action: string, path: string): unknown {
  const reason = fileErrorReason(error);
  if (reason === undefined) return error;
  // What a damaged file names may be endless.
  const shown = visiblePath(path.length <= MOST_SHOWN ? path : `${path.slice(0, MOST_SHOWN)}...`);
  return new UserError(`Cannot ${action} "${shown}" as ${reason}`, { cause: error });
}

/** Letters of a path in a sentence. */
const MOST_SHOWN = 500;

/** What the system's error codes mean to the user, and what helps. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "the operating system refuses access to it",
  EPERM: "the operating system refuses access to it",
  ENOENT: "there is no such file or folder",
  EEXIST: "there is something of that name: move it away, or name another path",
  EISDIR: "it is a folder: a file is needed",
  ENOTDIR: "a part of the path is a file, not a folder",
  ENOTEMPTY: "it is a folder that is not empty: move it away, or name another path",
  ELOOP: "its symbolic links lead in a circle: name the file itself",
  ENOSPC: "the disk is full: free some space, or name a path on another disk",
  EDQUOT: "your share of the disk is used up: free some space, or name a path on another disk",
  EROFS: "its file system is read-only: name a path that can be written",
  ENAMETOOLONG: "the name is too long for its file system: choose a shorter one",
  EFBIG:
    "it becomes larger than its file system or a limit (ulimit -f) allows: raise that, or name a path on another disk",
  EMFILE: "too many files are open: raise the limit (ulimit -n)",
  ENFILE: "too many files are open on this machine: close some programs",
  EBUSY: "another program uses it: close that first",
  ETXTBSY: "another program uses it: close that first",
  EXDEV: "it is on another file system: name a path on the same one",
  EIO: "the disk reports an error: name a path on another disk",
  ESTALE: "its network folder is gone: connect it again, or name another path",
  ENOLCK: "its file system has no locks, by which two runs are kept apart: name a path on another disk",
  ENOTSUP: "its file system cannot do that: name a path on another disk",
  EOPNOTSUPP: "its file system cannot do that: name a path on another disk",
};

/** Numbers of errors that the runtime gives no code for; those that systems do not share by the system. */
const NUMBERS: Readonly<Record<string, string>> = {
  27: "EFBIG",
  ...(Deno.build.os === "linux" ? { 37: "ENOLCK", 116: "ESTALE", 122: "EDQUOT" } : {}),
  ...(Deno.build.os === "darwin" ? { 69: "EDQUOT", 70: "ESTALE", 77: "ENOLCK" } : {}),
};

/** The system's code of an error: `ENOSPC`. */
function codeOf(error: Error): unknown {
  const { code } = error as { code?: unknown };
  return code ?? NUMBERS[error.message.match(/\(os error (\d+)\)/)?.[1] ?? ""];
}

function fileErrorReason(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotCapable) return permissionReason(error.message);
  if (!(error instanceof Error)) return undefined;
  if (error instanceof TypeError && /NUL byte/.test(error.message)) return "no file's name has a NUL character in it";
  const code = codeOf(error);
  if (typeof code === "string" && Object.hasOwn(REASONS, code)) return REASONS[code];
  if (error instanceof Deno.errors.NotFound) return REASONS.ENOENT;
  if (error instanceof Deno.errors.IsADirectory) return REASONS.EISDIR;
  if (error instanceof Deno.errors.NotADirectory) return REASONS.ENOTDIR;
  if (error instanceof Deno.errors.PermissionDenied) return REASONS.EACCES;
  if (error instanceof Deno.errors.AlreadyExists) return REASONS.EEXIST;
  if (error instanceof Deno.errors.FilesystemLoop) return REASONS.ELOOP;
  return undefined;
}

/** The runtime's own sentence advises permission for everything where the path belongs to the system. */
function permissionReason(message: string): string {
  const kind = message.match(/^Requires (\w+) access/)?.[1];
  if (kind !== undefined && kind !== "all") {
    return `Deno was started without the permission for it: start it with --allow-${kind}`;
  }
  return "it belongs to the operating system, which Deno keeps programs out of: name another path";
}

/**
 * Reads a whole file that the user named.
 *
 * @param path the path as the user wrote it
 * @param what what the file is to the user, with its article: `the recipe`. It stands in the error's sentence.
 * @returns the file's bytes
 * @throws UserError if the file is missing, is a folder, or may not be read
 *
 * @example
 * ```ts
 * const recipe = new TextDecoder().decode(await readUserFile("recipe.yaml", "the recipe"));
 * ```
 */
export async function readUserFile(path: string, what: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw fileError(error, `read ${what}`, path);
  }
}

/**
 * Reads all files of a folder that the user named, and of the folders in it.
 *
 * @param path the path as the user wrote it
 * @param what what the folder is to the user, with its article: `the messages`
 * @returns the files' bytes by their paths from there, with `/` between the parts, in order of these
 * @throws UserError if the folder or a file in it cannot be read
 */
export async function readUserFolder(path: string, what: string): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const names: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(join(path, folder))) {
      const own = folder === "" ? name : `${folder}/${name}`;
      if (isDirectory) await walk(own);
      else names.push(own);
    }
  };
  try {
    await walk("");
  } catch (error) {
    throw fileError(error, `read ${what}`, path);
  }
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const name of names.sort()) files.set(name, await readUserFile(join(path, name), what));
  return files;
}

/** No file system has longer names. */
const MOST_LETTERS = 255;

/**
 * The path of a file that another file lists. It must lie in the folder of the list, as what somebody else wrote must
 * not make the program read elsewhere: names that lead out of it are told apart, and so are symbolic links, save where
 * the list itself is a link to the same folder, as all are in Hugging Face's cache.
 *
 * @param list the path of the file that lists, as the user wrote it
 * @param name what stands there, `/` between its parts
 * @returns `null` if it is no name, or leads out of the folder
 * @throws UserError if a folder may not be read
 */
export async function listedPath(list: string, name: unknown): Promise<string | null> {
  if (typeof name !== "string" || name.length > MOST_LETTERS || /[\\:\0]/.test(name)) return null;
  if (name.split("/").some((part) => part === "" || part === "." || part === "..")) return null;
  const path = join(dirname(list), name);
  try {
    const [folder, own, real] = [
      await Deno.realPath(dirname(list)),
      await Deno.realPath(list),
      await Deno.realPath(path),
    ];
    return [folder, dirname(own)].some((home) => isWithin(real, home)) ? path : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path; // which reading it says
    throw fileError(error, "read", path);
  }
}

/** Whether a real path is in a folder, or in one of that. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== "" && !/^\.\.(?:[\\/]|$)/.test(way) && way !== path;
}

/**
 * Reads a file that a run or an experiment may have left.
 *
 * @param path the path as the user wrote it
 * @param what what the file is to the user, with its article: `the summary`
 * @returns its text; `null` if there is no such file
 * @throws UserError if there is something of that name that cannot be read
 */
export async function readTextIfThere(path: string, what: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw fileError(error, `read ${what}`, path);
  }
}

/**
 * Makes a folder, and those around it, if it is not there.
 *
 * @param path the path as the user wrote it
 * @param what what the folder is to the user, with its article: `the run folder`
 * @throws UserError if it cannot be made
 */
export async function makeFolder(path: string, what: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new UserError(
        `Cannot make ${what} "${visiblePath(path)}" as there is a file of that name: move it away, or name another`,
        {
          cause: error,
        },
      );
    }
    throw fileError(error, `make ${what}`, path);
  }
}

/**
 * Makes a folder in one that must be there: a run folder that was removed does not come back with half of its files.
 *
 * @param path the path as the user wrote it
 * @throws UserError if it cannot be made
 */
export async function makeFolderWithin(path: string): Promise<void> {
  try {
    await Deno.mkdir(path);
  } catch (error) {
    if (await kindOfPath(path) !== "folder") throw writeError(error, path);
  }
}

/** Gives a file or a folder another name. @throws UserError if it cannot be */
export async function movePath(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    throw fileError(error, `move "${from}" to`, to);
  }
}

/** Removes a file, or a folder with all that is in it, if it is there. @throws UserError if it cannot be removed */
export async function removePath(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw fileError(error, "remove", path);
  }
}

/** Adds a text to the end of a file, which must be there. @throws UserError if it cannot be written */
export async function appendToFile(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { append: true, create: false });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw fileError(error, "write", path);
    throw new UserError(
      `Cannot write "${visiblePath(path)}" as it was moved or removed since it was made, or its folder was`,
      {
        cause: error,
      },
    );
  }
}

/** Whether there is a file, a folder, or nothing at a path. A link counts as what it leads to. */
export async function kindOfPath(path: string): Promise<"file" | "folder" | null> {
  try {
    return (await Deno.stat(path)).isDirectory ? "folder" : "file";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw fileError(error, "look at", path);
  }
}

/** Removes what writes that were cut off left in a folder. See {@link writeFileAtomically}. */
export async function removeTemporaries(folder: string): Promise<void> {
  if (await kindOfPath(folder) !== "folder") return;
  const left: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && TEMPORARY.test(name)) left.push(join(folder, name));
    }
  } catch (error) {
    throw fileError(error, "look into", folder);
  }
  for (const path of left) await removePath(path);
}

/** Removes what writes of a file that were cut off left beside it: nobody has it locked. The file itself is written. */
async function removeAbandoned(path: string): Promise<void> {
  const [folder, begin] = [dirname(path), `.${basename(path)}.`];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.startsWith(begin) || !TEMPORARY.test(name.slice(begin.length - 1))) continue;
      using file = await Deno.open(join(folder, name), { write: true });
      if (await file.tryLock(true)) await Deno.remove(join(folder, name));
    }
  } catch {
    // What is wanted is on the disk; this is tidiness.
  }
}

/** The names that {@link writeFileAtomically} gives to what is not yet whole. */
const TEMPORARY = /^\.(?:.+\.)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** A folder that is missing where a file is to be written was taken away, or never made. */
function writeError(error: unknown, path: string): unknown {
  if (error instanceof Deno.errors.NotFound) {
    const reason = `its folder "${visiblePath(dirname(path))}" is not there: make it, or see what moved or removed it`;
    return new UserError(`Cannot write "${visiblePath(path)}" as ${reason}`, { cause: error });
  }
  return fileError(error, "write", path);
}

/**
 * Writes a file so that its name never stands for half of the content: the bytes go to a temporary name in the same
 * folder, reach the disk, and only then take the name. A failure leaves the old file as it was and no temporary file;
 * those that a process left which was killed go with the next write of the same file.
 *
 * @param path where to write. The folder must exist; a file of this name is replaced.
 * @param content bytes, or text to be written as UTF-8
 * @throws UserError if the folder is missing, the path is a folder, or writing is not allowed
 *
 * @example
 * ```ts
 * await writeFileAtomically("run/metrics.json", JSON.stringify({ accuracy: 0.9 }));
 * ```
 */
export async function writeFileAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  // The same folder is the same file system, without which a rename is a copy and no longer atomic.
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}.tmp`);
  try {
    await writeToDisk(temporary, bytes);
    await Deno.rename(temporary, path);
    await removeAbandoned(path);
  } catch (error) {
    // Not there if it could not be created: then there is nothing to clean up, and the first error is the one to tell.
    await Deno.remove(temporary).catch(() => {});
    throw writeError(error, path);
  }
}

async function writeToDisk(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  // Tells it from what a dead process left. Not every file system has locks.
  await file.lock(true).catch(() => {});
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
  // Without this a crash of the machine just after the rename could leave the name with no content.
  await file.sync();
}
