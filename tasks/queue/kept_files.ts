import { UserError } from "../../core/errors.ts";
import { dirname, join } from "node:path";
import { z } from "zod";
import { currentFiles } from "../../core/files/current.ts";
import { kindOfPath, makeFolder, readUserFile, removePath, writeFileAtomically } from "../../core/files.ts";
import { parsed } from "./spec.ts";
import { BLOBS, keepBlob, readBlob, type Store } from "./store.ts";

const listSchema = z.strictObject({
  /** The machine and process that wrote it. */
  by: z.string(),
  /** SHA-256 by path, `/` between the parts. */
  files: z.record(z.string(), z.string()),
});

/** Files of a run folder as the store has them: all of one moment. */
export type KeptFiles = z.output<typeof listSchema>;

/** Files of a run folder that its outcome is made of. The last says that the run is done. */
const RESULTS = ["recipe.yaml", "inputs.json", "metrics.jsonl", "student", "student-onnx", "tensorboard"];
const ENDS = ["failure.json", "metrics.json"];

/** Files that an interrupted run goes on from, the checkpoint first: a log that is longer than it is cut. */
const STATE = ["checkpoint", "recipe.yaml", "inputs.json", "metrics.jsonl", "tensorboard"];

const outcomeKey = (id: string) => `runs/${id}/outcome.json`;
const stateKey = (id: string) => `runs/${id}/state.json`;

/** Not among the blobs of all runs, as what is outdated is removed. */
const stateFolder = (id: string) => `runs/${id}/state`;

/** A finished run in the store; `null` if there is none. */
export function keptOutcome(store: Store, id: string): Promise<KeptFiles | null> {
  return readList(store, outcomeKey(id));
}

/**
 * Keeps a run that is done. What it would have gone on from is not needed any more.
 *
 * @throws UserError if nothing says that it is done: it would count as done for ever, and have no outcome
 */
export async function keepOutcome(store: Store, id: string, folder: string, by: string): Promise<void> {
  const files = await keepFiles(store, folder, [...RESULTS, ...ENDS], BLOBS);
  if (!ENDS.some((name) => name in files)) {
    throw new UserError(`Cannot keep the run in "${folder}" as its ${ENDS.join(" or ")} is not there any more`);
  }
  await writeList(store, outcomeKey(id), { by, files });
  const state = await readList(store, stateKey(id));
  if (state === null) return;
  await store.remove(stateKey(id));
  await dropState(store, id, state, {});
}

/** The id by which a finished run's files name it, from the head of its recipe. */
export async function runOf(store: Store, { files }: KeptFiles): Promise<string> {
  const text = new TextDecoder().decode(await readBlob(store, files["recipe.yaml"], "the run's recipe"));
  return /^# run (\S+)$/m.exec(text)?.[1] ?? "unknown";
}

/** Puts the files of a finished run into a folder, save its recipe, that which says that it is done last. */
export async function fetchOutcome(store: Store, { files }: KeptFiles, folder: string): Promise<void> {
  const isEnd = (path: string) => ENDS.includes(path);
  const paths = Object.keys(files).filter((path) => path !== "recipe.yaml");
  for (const path of [...paths.filter((path) => !isEnd(path)), ...paths.filter(isEnd)]) {
    await fetchFile(store, files[path], join(folder, ...path.split("/")), BLOBS);
  }
}

/** Keeps what an unfinished run goes on from, in the place of what was kept before. */
export async function keepState(store: Store, id: string, folder: string, by: string): Promise<void> {
  const before = await readList(store, stateKey(id));
  const files = await keepFiles(store, folder, STATE, stateFolder(id));
  await writeList(store, stateKey(id), { by, files });
  if (before) await dropState(store, id, before, files);
}

/**
 * Puts what an unfinished run goes on from into a folder. Returns who wrote it; `null` if there is nothing. Of what is
 * damaged or not whole nothing is left, so that the run begins anew: it was its progress and no more.
 *
 * @param warn is told so
 */
export async function fetchState(
  store: Store,
  id: string,
  folder: string,
  warn: (line: string) => void,
): Promise<string | null> {
  try {
    const kept = await readList(store, stateKey(id));
    if (kept === null) return null;
    await removePath(folder);
    for (const [path, hash] of Object.entries(kept.files)) {
      await fetchFile(store, hash, join(folder, ...path.split("/")), stateFolder(id));
    }
    return kept.by;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warn(`${error.message}; the run begins anew`);
    await removePath(folder);
    await store.remove(stateKey(id));
    return null;
  }
}

/** Removes what a list has and another has not. */
async function dropState(
  store: Store,
  id: string,
  { files }: KeptFiles,
  kept: Readonly<Record<string, string>>,
): Promise<void> {
  const still = new Set(Object.values(kept));
  for (const hash of Object.values(files)) if (!still.has(hash)) await store.remove(`${stateFolder(id)}/${hash}`);
}

async function readList(store: Store, key: string): Promise<KeptFiles | null> {
  const bytes = await store.read(key);
  return bytes && parsed(store, key, bytes, listSchema);
}

async function writeList(store: Store, key: string, list: KeptFiles): Promise<void> {
  await store.write(key, new TextEncoder().encode(JSON.stringify(list)));
}

/** Keeps the files of a folder that are there, and those in folders of these names. */
async function keepFiles(
  store: Store,
  folder: string,
  names: readonly string[],
  under: string,
): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const walk = async (way: string): Promise<void> => {
    const path = join(folder, ...way.split("/"));
    const kind = await kindOfPath(path);
    if (kind === "file") files[way] = await keepBlob(store, await readUserFile(path, "the result"), under);
    if (kind !== "folder") return;
    for (const { name } of await currentFiles().list(path)) {
      if (!name.startsWith(".")) await walk(`${way}/${name}`);
    }
  };
  for (const name of names) await walk(name);
  return files;
}

async function fetchFile(store: Store, hash: string, path: string, under: string): Promise<void> {
  const bytes = await readBlob(store, hash, `"${path}"`, under);
  await makeFolder(dirname(path), "the run folder");
  await writeFileAtomically(path, bytes);
}
