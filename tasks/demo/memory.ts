import { memoryFiles, useFiles } from "../../core/mod.ts";
import { dirname, join } from "../../core/paths.ts";
import type { FolderFile } from "./messages.ts";

const files = memoryFiles();
useFiles(files);

/** Writes a file, and makes the folders that it is in. */
export async function put(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  await files.makeFolder(dirname(path), true);
  await files.write(path, bytes);
}

/** The bytes of a file. */
export const bytesOf = (path: string): Promise<Uint8Array<ArrayBuffer>> => files.read(path);

/** The text of a file. */
export const textOf = async (path: string): Promise<string> => new TextDecoder().decode(await bytesOf(path));

/** The files of a folder and of those in it, by their paths from there. */
export async function filesIn(folder: string, within = ""): Promise<FolderFile[]> {
  const found: FolderFile[] = [];
  for (const { name, kind } of await files.list(join(folder, within))) {
    const path = within === "" ? name : `${within}/${name}`;
    if (kind === "folder") found.push(...await filesIn(folder, path));
    else found.push({ path, bytes: await bytesOf(join(folder, path)) });
  }
  return found.sort((one, other) => one.path < other.path ? -1 : 1);
}

/** Removes a folder with all that is in it. */
export const drop = (folder: string): Promise<void> => files.remove(folder);
