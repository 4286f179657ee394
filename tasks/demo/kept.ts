import { put } from "./memory.ts";
import type { FolderFile } from "./messages.ts";

/** Where models are kept; recipes can name their folders. */
const KEPT = "kept";

let count = 0;

/**
 * Keeps the files of a model in a folder that is its own for good: a recipe that names it means these files, whatever
 * is made or opened under the same name later.
 *
 * @returns the folder
 */
export async function keep(name: string, files: readonly FolderFile[]): Promise<string> {
  const folder = `${KEPT}/${++count}/${name}`;
  for (const { path, bytes } of files) await put(`${folder}/${path}`, bytes);
  return folder;
}
