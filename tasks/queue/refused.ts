import { isUrl } from "../../core/data/remote_file.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { hasPlugins, strangePackage } from "../support/own_code.ts";
import type { Manifest } from "./manifest.ts";

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
 * Refuses a run with code that this worker was not told to run.
 *
 * @throws Refused naming the code, and how to allow it
 */
export function refuseCode(recipe: Checked<Recipe>, { files, elsewhere, code }: Manifest, allowed: AllowedCode): void {
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
  const hashes = code.map((path) => files[path] ?? elsewhere[path]);
  const strange = hashes.findIndex((hash) => !allowed?.has(hash));
  if (strange < 0) return;
  throw new Refused(
    `it runs the plug-in "${code[strange]}" (SHA-256 ${
      hashes[strange]
    }): start the worker with --allow-plugins, or with ` +
      `--allow-plugins=${[...new Set(hashes)].join(",")} for this content alone`,
  );
}
