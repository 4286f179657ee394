import { dirname, join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { kindOfPath, makeFolder, readUserFile, writeFileAtomically } from "../../core/files.ts";
import { sha256 } from "../../core/sha256.ts";
import { baseIn, expectWithin, type Manifest } from "./manifest.ts";
import { readBlob, type Store } from "./store.ts";

/**
 * Lays out the files that a run reads in a worker's folder, as its recipe names them. A file is fetched once, whatever
 * runs and recipes name it; what lies there already is looked at again, as a disk or a hand may have changed it.
 *
 * @param folder the worker's
 * @param hash the manifest's
 * @returns the recipe's base
 * @throws UserError if the store lacks a file, or this machine one that is named absolutely
 */
export async function layOut(store: Store, folder: string, hash: string, manifest: Manifest): Promise<string> {
  expectWithin(manifest);
  for (const [path, wanted] of Object.entries(manifest.elsewhere)) await expectHere(path, wanted);
  const root = rootIn(folder, hash);
  const base = join(root, baseIn(manifest));
  await makeFolder(base, "the folder of inputs");
  for (const [way, wanted] of Object.entries(manifest.files)) {
    const path = join(root, ...way.split("/"));
    if (await isThere(path, wanted)) continue;
    const kept = join(folder, "blobs", wanted);
    if (!await isThere(kept, wanted)) {
      const bytes = await readBlob(store, wanted, `the input "${way}"`);
      await makeFolder(dirname(kept), "the folder of inputs");
      await writeFileAtomically(kept, bytes);
    }
    await makeFolder(dirname(path), "the folder of inputs");
    await writeFileAtomically(path, await readUserFile(kept, "the input"));
  }
  return base;
}

/** The folder that the files of a manifest are laid out in. */
export function rootIn(folder: string, hash: string): string {
  return join(folder, "inputs", hash.slice(0, 16));
}

/** Files that were looked at, by path and hash: each is read once in a worker's life. */
const seen = new Set<string>();

async function isThere(path: string, wanted: string): Promise<boolean> {
  const key = `${wanted} ${path}`;
  if (await kindOfPath(path) !== "file") return false;
  if (!seen.has(key) && await sha256(await readUserFile(path, "the input")) !== wanted) return false;
  seen.add(key);
  return true;
}

async function expectHere(path: string, wanted: string): Promise<void> {
  if (await kindOfPath(path) !== "file") {
    throw new UserError(
      `Cannot do the run here as its recipe names "${path}" absolutely, and this machine has no such file: name it ` +
        "relative to the recipe, so that it is sent along",
    );
  }
  if (await isThere(path, wanted)) return;
  throw new UserError(
    `Cannot do the run here as "${path}", which its recipe names absolutely, has another content on this machine: name ` +
      "it relative to the recipe, so that it is sent along",
  );
}
