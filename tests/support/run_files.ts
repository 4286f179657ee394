import assert from "node:assert/strict";
import { join } from "node:path";
import "../../core/deno/install.ts";
import { CHECKPOINT_FILE, readCheckpoint } from "../../core/distill/training/checkpoint.ts";
import { CARD_FILE } from "../../core/model_folder/card_file.ts";
import { readYaml } from "../../core/recipe/yaml_source.ts";
import { readSafetensors } from "../../core/safetensors.ts";
import { sha256 } from "../../core/sha256.ts";

/** The text of a file; `null` if it is not there. */
export const textOf = (...path: string[]) => Deno.readTextFile(join(...path)).catch(() => null);

/** Whether there is anything at a path. */
export const isThere = (...path: string[]) => Deno.lstat(join(...path)).then(() => true, () => false);

/** The names in a folder, sorted. */
export const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

/** The paths of all files and folders below a folder, sorted, from there on. */
export function treeOf(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => [
    name,
    ...(isDirectory ? treeOf(join(folder, name)).map((below) => join(name, below)) : []),
  ]).sort();
}

/** The run that each file of a run folder says it is of. */
export async function runsIn(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string | null | undefined> = {
    "recipe.yaml": (await textOf(folder, "recipe.yaml"))?.match(/^# run (\w+)\n/)?.[1],
  };
  for (const file of ["metrics.json", join("student", "config.json")]) {
    const text = await textOf(folder, file);
    if (text !== null) found[file] = JSON.parse(text).run;
  }
  const card = await textOf(folder, "student", CARD_FILE);
  if (card !== null) found[CARD_FILE] = card.match(/^---\n# run (\w+)\n/)?.[1];
  const log = (await textOf(folder, "metrics.jsonl"))?.split("\n").filter(Boolean) ?? [];
  log.forEach((line, index) => found[`metrics.jsonl ${index}`] = JSON.parse(line).run);
  if (await isThere(folder, CHECKPOINT_FILE)) {
    found[CHECKPOINT_FILE] = (await readCheckpoint(join(folder, CHECKPOINT_FILE))).run ?? undefined;
  }
  return Object.fromEntries(Object.entries(found).map(([name, run]) => [name, String(run)]));
}

/** All files are of one run, and those that are there together fit each other. Returns the run. */
export async function checkOneRun(folder: string): Promise<string> {
  const runs = await runsIn(folder);
  assert.equal(new Set(Object.values(runs)).size, 1, `${folder}: ${JSON.stringify(runs)}`);
  const metrics = await textOf(folder, "metrics.json");
  if (metrics !== null) {
    const weights = await Deno.readFile(join(folder, "student", "model.safetensors"));
    assert.equal(JSON.parse(metrics).studentSha256, await sha256(weights));
  }
  return Object.values(runs)[0];
}

/** Names of what a write that was cut off leaves, and of the lock that a dead process leaves. */
const UNFINISHED = /^\..+\.tmp$|^\.lock$/;

/** Reads every file below a folder: each must be whole, save for the temporary ones. */
export async function checkWhole(folder: string): Promise<void> {
  for (const path of treeOf(folder)) {
    const [file, name] = [join(folder, path), path.split("/").at(-1)!];
    if ((await Deno.lstat(file)).isDirectory || UNFINISHED.test(name)) continue;
    try {
      await checkFile(file);
    } catch (error) {
      throw new Error(`"${path}" is not whole: ${(error as Error).message}`);
    }
  }
}

async function checkFile(file: string): Promise<void> {
  if (file.endsWith(CHECKPOINT_FILE)) return void await readCheckpoint(file);
  if (file.endsWith(".safetensors")) return void await readSafetensors(file);
  const text = await Deno.readTextFile(file);
  if (file.endsWith(".json")) JSON.parse(text);
  else if (file.endsWith(".jsonl")) text.split("\n").filter(Boolean).forEach((line) => JSON.parse(line));
  else if (file.endsWith(".yaml")) assert.deepEqual(readYaml(text).problems, []);
  // Empty but for a lock file; a log that has no line yet is right as well.
  if (!file.endsWith(".jsonl")) assert.match(text, /\n$|}$/, "its end is missing");
}
