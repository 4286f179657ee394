import { dirname, join } from "node:path";
import { fileError, isMissing, kindOfPath, makeFolder, removePath, writeFileAtomically } from "../../core/files.ts";
import { currentFiles } from "../../core/files/current.ts";
import type { Store } from "./store.ts";

/** A store that is a folder, which all machines have under some name. */
export class FolderStore implements Store {
  readonly name: string;

  constructor(private readonly folder: string) {
    this.name = `"${folder}"`;
  }

  async has(key: string): Promise<boolean> {
    return await kindOfPath(this.#path(key)) === "file";
  }

  async read(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const path = this.#path(key);
    try {
      return await currentFiles().read(path);
    } catch (error) {
      if (isMissing(error)) return null;
      throw fileError(error, "read", path);
    }
  }

  async write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const path = this.#path(key);
    await makeFolder(dirname(path), "a folder of the store");
    await writeFileAtomically(path, bytes);
  }

  async remove(key: string): Promise<void> {
    await removePath(this.#path(key));
  }

  #path(key: string): string {
    return join(this.folder, ...key.split("/"));
  }
}
