import { UserError } from "../../core/errors.ts";
import type { Override } from "../../core/recipe/overrides.ts";
import { parsePath, type Path, showPath, startsWith, valueAtPath } from "../../core/recipe/paths.ts";
import type { Tuning } from "./experiment.ts";

/**
 * Refuses changes of a row, or of flags, that would be lost: of what a grid sets in each run itself.
 *
 * @param seeds whether the grid has seeds of its own, whatever the recipe's is
 * @throws UserError at the first of them, with its place and what to give instead
 */
export function refuseOverwritten(changes: readonly Override[], tune: Tuning | null, seeds = true): void {
  const own: [key: Path, instead: string][] = [
    ...seeds ? [[["seed"], "give --seeds, or seeds in the experiment file"] as [Path, string]] : [],
    [["output"], "give --output, the folder of all runs"],
    ...tune ? [[parsePath(tune.key), "change tune.values in the experiment file"] as [Path, string]] : [],
  ];
  for (const { path, value, label, origin } of changes) {
    for (const [key, instead] of own) {
      const inside = key.slice(path.length);
      // A list is given whole, with what is tuned in it.
      if (inside.some((step) => typeof step === "number")) continue;
      const within = startsWith(key, path) && valueAtPath(value, inside) !== undefined;
      if (!within && !startsWith(path, key)) continue;
      const place = inside.length > 0 && origin?.(inside, "key") || label;
      throw new UserError(`${place}: Cannot set ${showPath(key)}, which the grid sets in each run: ${instead}`);
    }
  }
}
