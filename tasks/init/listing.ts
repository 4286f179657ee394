import { join } from "node:path";
import { fileError } from "../../core/files.ts";

/** What lies in a folder, by name and in order; what systems leave there is left out. */
export interface Listing {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** Folders and files of systems and of this program. */
const OTHERS = /^(?:\..*|__MACOSX|Thumbs\.db|desktop\.ini|runs)$/i;

/** Lists a folder that the user named; links count as what they lead to. @throws UserError if it cannot be read */
export async function listFolder(folder: string): Promise<Listing> {
  const [files, folders]: [string[], string[]] = [[], []];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (OTHERS.test(entry.name)) continue;
      const isFolder = entry.isSymlink
        ? await Deno.stat(join(folder, entry.name)).then((info) => info.isDirectory, () => false)
        : entry.isDirectory;
      (isFolder ? folders : files).push(entry.name);
    }
  } catch (error) {
    throw fileError(error, "look into", folder);
  }
  return { files: files.sort(), folders: folders.sort() };
}

/** The first bytes of a file. @throws UserError if it cannot be read */
export async function startOf(path: string, most = 65_536): Promise<Uint8Array<ArrayBuffer>> {
  try {
    using file = await Deno.open(path);
    const bytes = new Uint8Array(most);
    let length = 0;
    while (length < most) {
      const read = await file.read(bytes.subarray(length));
      if (read === null) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } catch (error) {
    throw fileError(error, "read", path);
  }
}
