import { relative } from "node:path";
import { isUrl } from "../../core/data/remote_file.ts";
import { readUserFile } from "../../core/files.ts";
import { isPluginFile } from "../../core/plugin/registry.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { resolveFile } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { sha256 } from "../../core/sha256.ts";
import { hasPlugins, strangePackage } from "../support/own_code.ts";
import { pluginModules } from "../experiment/inputs.ts";

/** A run is nothing for this worker; another one may do it. The message is a part of a sentence, to follow "as". */
export class Refused extends Error {
  static {
    this.prototype.name = "Refused";
  }
}

/** Which code of others a worker runs: all that the store has by its hash, that of some hashes, or none. */
export type AllowedCode = "all" | ReadonlySet<string> | null;

/** Reads `--allow-plugins`, which may name hashes. */
export function allowedCode(flag: string | boolean | undefined): AllowedCode {
  if (flag === undefined || flag === false) return null;
  return flag === true ? "all" : new Set(flag.split(",").map((hash) => hash.trim().toLowerCase()));
}

/**
 * Refuses a run with code that this worker was not told to run. What that is it finds itself in what is laid out: a
 * list in the store is as little to be trusted as the code.
 *
 * @throws Refused naming the code, and how to allow it
 */
export async function refuseCode(recipe: Checked<Recipe>, allowed: AllowedCode): Promise<void> {
  const unsentPackage = strangePackage(recipe.value);
  if (allowed === "all" || (unsentPackage === null && !hasPlugins(recipe.value))) return;
  const { dataset, teacher, student, losses } = recipe.value;
  const uses = [dataset, student, ...losses, ...teacher ? [teacher, ...teacher.others] : []].map(({ use }) => use);
  const unsent = uses.find(isUrl) ?? unsentPackage;
  if (unsent !== null) {
    throw new Refused(
      `it runs code from ${JSON.stringify(unsent)}, which is not sent along: start the worker with --allow-plugins`,
    );
  }
  const hashes = new Map<string, string>();
  for (const use of uses.filter(isPluginFile)) {
    for (const path of await pluginModules(resolveFile(recipe, use))) {
      hashes.set(path, await sha256(await readUserFile(path, "the plug-in")));
    }
  }
  const [strange] = [...hashes].filter(([, hash]) => !allowed?.has(hash));
  if (strange === undefined) return;
  const [path, hash] = strange;
  throw new Refused(
    `it runs the plug-in "${relative(resolveFile(recipe, "."), path)}" (SHA-256 ${hash}): start the worker with ` +
      `--allow-plugins, or with --allow-plugins=${[...new Set(hashes.values())].join(",")} for this content alone`,
  );
}
