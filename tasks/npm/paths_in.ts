import { join } from "node:path";

/** The paths of all files in a folder and those in it, in order. */
export async function pathsIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) paths.push(...await pathsIn(path));
    else paths.push(path);
  }
  return paths.sort();
}
