import { isUrl } from "../../core/data/remote_file.ts";
import { isPluginFile } from "../../core/plugin/registry.ts";
import type { Recipe } from "../../core/recipe/schema.ts";

/**
 * Whether a recipe has no code run but this program's: it names no plug-in by a file or an address, and takes no data
 * out of a package.
 */
export function ownCodeAlone({ dataset, teacher, student, losses }: Recipe): boolean {
  const named = [dataset, student, ...losses, ...teacher ? [teacher, ...teacher.others] : []];
  return (dataset.package ?? null) === null && named.every(({ use }) => !isUrl(use) && !isPluginFile(use));
}
