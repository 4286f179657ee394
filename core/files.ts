import { UserError } from "./errors.ts";
import { currentFiles, currentFilesIfAny } from "./files/current.ts";
import type { FileInfo } from "./files/files.ts";
import { REASONS } from "./files/reasons.ts";
import { isTemporary } from "./files/temporary.ts";
import { dirname, join, relative } from "./paths.ts";
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

/** Why something failed, to follow "as"; `undefined` if it is no failure of files. */
function fileErrorReason(error: unknown): string | undefined {
  const failure = currentFilesIfAny()?.failureOf(error);
  return failure?.reason ?? (Object.hasOwn(REASONS, failure?.code ?? "") ? REASONS[failure!.code] : undefined);
}

function codeOf(error: unknown): string | undefined {
  return currentFilesIfAny()?.failureOf(error)?.code;
}

/** Whether an error says that there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

/** The same, or that the path leads through a file. */
export function isNowhere(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "");
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
    return await currentFiles().read(path);
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
    for (const { name, kind } of await currentFiles().list(join(path, folder))) {
      const own = folder === "" ? name : `${folder}/${name}`;
      if (kind === "folder") await walk(own);
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

/** The files of a folder and of the folders in it, to be read one after another. */
export interface OpenFolder {
  /** Their paths from there, with `/` between the parts, in order. */
  readonly paths: readonly string[];
  /** Those of the folders in it, empty ones too, in order. */
  readonly folders: readonly string[];
  /**
   * Reads one of them.
   *
   * @param most the bytes that it may have
   * @returns `null` if it has more
   * @throws UserError if it cannot be read
   */
  read(path: string, most: number): Promise<Uint8Array<ArrayBuffer> | null>;
}

/**
 * Lists the files of a folder that the user named, which are read one by one. A link counts if it leads to a file of
 * the folder: what somebody else packed must not make the program read elsewhere.
 *
 * @param path the path as the user wrote it
 * @param what what the folder is to the user, with its article: `the pictures`
 * @throws UserError if the folder cannot be read, or something in it is no file, leads out of it, or to a folder
 */
export async function openUserFolder(path: string, what: string): Promise<OpenFolder> {
  const [paths, folders]: [string[], string[]] = [[], []];
  const files = currentFiles();
  const walk = async (folder: string): Promise<void> => {
    for (const { name, kind } of await files.list(join(path, folder))) {
      const own = folder === "" ? name : `${folder}/${name}`;
      if (kind === "folder") {
        folders.push(own);
        await walk(own);
      } else {
        if (kind === "other") await expectFileWithin(path, own);
        paths.push(own);
      }
    }
  };
  try {
    await walk("");
  } catch (error) {
    throw fileError(error, `read ${what}`, path);
  }
  return {
    paths: paths.sort(),
    folders: folders.sort(),
    read: async (name, most) => {
      const own = join(path, name);
      try {
        return (await files.look(own)).size > most ? null : await files.read(own);
      } catch (error) {
        throw fileError(error, "read", own);
      }
    },
  };
}

/** What is no plain file must be a link to one of the same folder. */
async function expectFileWithin(folder: string, name: string): Promise<void> {
  const path = join(folder, name);
  const refuse = (reason: string) => new UserError(`Cannot read "${visiblePath(path)}" as ${reason}`);
  const files = currentFiles();
  if (!await files.isLink(path)) throw refuse("it is neither a file nor a folder: leave it out");
  const there = await lookAt(path);
  if (there === null) throw refuse("it is a link to nothing: leave it out");
  if (!isWithin(await files.realPath(path), await files.realPath(folder))) {
    throw refuse("it is a link that leads out of the folder: put the file itself there");
  }
  if (there.kind !== "file") throw refuse("it is a link to something else than a file: put the files themselves there");
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
    const files = currentFiles();
    const [folder, own, real] = [
      await files.realPath(dirname(list)),
      await files.realPath(list),
      await files.realPath(path),
    ];
    return [folder, dirname(own)].some((home) => isWithin(real, home)) ? path : null;
  } catch (error) {
    if (isMissing(error)) return path; // which reading it says
    throw fileError(error, "read", path);
  }
}

/** Whether a real path is in a folder, or in one of that. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== "" && !/^\.\.(?:[\\/]|$)/.test(way) && way !== path;
}

/** The text of a file, as it stands there. Fails as the files in use do. */
export async function readText(path: string): Promise<string> {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await currentFiles().read(path));
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
    return await readText(path);
  } catch (error) {
    if (isMissing(error)) return null;
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
    await currentFiles().makeFolder(path, true);
  } catch (error) {
    if (codeOf(error) === "EEXIST") {
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
    await currentFiles().makeFolder(path, false);
  } catch (error) {
    if (await kindOfPath(path) !== "folder") throw writeError(error, path);
  }
}

/** Gives a file or a folder another name. @throws UserError if it cannot be */
export async function movePath(from: string, to: string): Promise<void> {
  try {
    await currentFiles().rename(from, to);
  } catch (error) {
    throw fileError(error, `move "${from}" to`, to);
  }
}

/** Removes a file, or a folder with all that is in it, if it is there. @throws UserError if it cannot be removed */
export async function removePath(path: string): Promise<void> {
  try {
    await currentFiles().remove(path);
  } catch (error) {
    if (!isMissing(error)) throw fileError(error, "remove", path);
  }
}

/** Adds a text or bytes to the end of a file, which must be there. @throws UserError if it cannot be written */
export async function appendToFile(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    await currentFiles().append(path, bytes);
  } catch (error) {
    if (!isMissing(error)) throw fileError(error, "write", path);
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
    return (await currentFiles().look(path)).kind === "folder" ? "folder" : "file";
  } catch (error) {
    if (isNowhere(error)) return null;
    throw fileError(error, "look at", path);
  }
}

/** What is at a path; `null` if nothing is, or it cannot be looked at: then reading it says why. */
export async function lookAt(path: string): Promise<FileInfo | null> {
  return await currentFiles().look(path).catch(() => null);
}

/** Removes what writes that were cut off left in a folder. See {@link writeFileAtomically}. */
export async function removeTemporaries(folder: string): Promise<void> {
  if (await kindOfPath(folder) !== "folder") return;
  const left: string[] = [];
  try {
    for (const { name, kind } of await currentFiles().list(folder)) {
      if (kind === "file" && isTemporary(name)) left.push(join(folder, name));
    }
  } catch (error) {
    throw fileError(error, "look into", folder);
  }
  for (const path of left) await removePath(path);
}

/** A folder that is missing where a file is to be written was taken away, or never made. */
function writeError(error: unknown, path: string): unknown {
  if (isMissing(error)) {
    const reason = `its folder "${visiblePath(dirname(path))}" is not there: make it, or see what moved or removed it`;
    return new UserError(`Cannot write "${visiblePath(path)}" as ${reason}`, { cause: error });
  }
  return fileError(error, "write", path);
}

/**
 * Writes a file so that its name never stands for half of the content. A failure leaves the old file as it was.
 *
 * @param path where to write. The folder must exist; a file of this name is replaced.
 * @param content bytes, parts of them one behind the other, or text to be written as UTF-8
 * @throws UserError if the folder is missing, the path is a folder, or writing is not allowed
 *
 * @example
 * ```ts
 * await writeFileAtomically("run/metrics.json", JSON.stringify({ accuracy: 0.9 }));
 * ```
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | readonly Uint8Array[] | string,
): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    await currentFiles().write(path, bytes);
  } catch (error) {
    throw writeError(error, path);
  }
}
