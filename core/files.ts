import { basename, dirname, join } from "node:path";
import { UserError } from "./errors.ts";

/**
 * Turns an operating-system error about a path the user named into a {@link UserError} that says what was being done,
 * to which path, and what is wrong with it. An error of any other kind is not the user's, and is returned as it is.
 *
 * @param error what was thrown
 * @param action the action that failed, to follow "Cannot": `read the recipe`
 * @param path the path as the user wrote it
 * @returns the error to throw
 */
export function fileError(error: unknown, action: string, path: string): unknown {
  const reason = fileErrorReason(error);
  return reason === undefined ? error : new UserError(`Cannot ${action} "${path}" as ${reason}`, { cause: error });
}

function fileErrorReason(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotFound) return "there is no such file or folder";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder: a file is needed";
  if (error instanceof Deno.errors.NotADirectory) return "a part of the path is a file, not a folder";
  if (error instanceof Deno.errors.PermissionDenied) return "the operating system refuses access to it";
  if (error instanceof Deno.errors.NotCapable) return "Deno was started without the permission for it";
  return undefined;
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

/**
 * Writes a file so that its name never stands for half of the content: the bytes go to a temporary name in the same
 * folder, reach the disk, and only then take the name. A failure leaves the old file as it was and no temporary file.
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
  } catch (error) {
    // Not there if it could not be created: then there is nothing to clean up, and the first error is the one to tell.
    await Deno.remove(temporary).catch(() => {});
    throw fileError(error, "write", path);
  }
}

async function writeToDisk(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
  // Without this a crash of the machine just after the rename could leave the name with no content.
  await file.sync();
}
