import type { Override } from "../../core/recipe/overrides.ts";
import { isMap, parsePath, type Path, valueAtPath } from "../../core/recipe/paths.ts";

/**
 * What a map of changes sets in a recipe: maps are merged into those of the recipe, all else replaces the recipe's
 * value. A map whose `use` is another than the recipe's replaces it whole, as the options of one plug-in mean nothing
 * to another.
 *
 * @param base the recipe as it was written
 * @param changes nested maps; a key of the top level may be a path: `losses[1].weight`
 * @param origin where a part of `changes` was written, for messages
 * @throws SyntaxError for a key that is no path
 *
 * @example
 * ```ts
 * changesOf({ train: { epochs: 5 } }, { train: { batchSize: 64 } }, () => "experiment.yaml:7:5");
 * // [{ path: ["train", "batchSize"], value: 64, label: "experiment.yaml:7:5" }]
 * ```
 */
export function changesOf(
  base: unknown,
  changes: Readonly<Record<string, unknown>>,
  origin: (path: Path, at: "key" | "value") => string,
): Override[] {
  const walk = (path: Path, value: unknown, written: Path): Override[] => {
    const before = valueAtPath(base, path);
    const merges = isMap(value) && isMap(before) && (value.use === undefined || value.use === before.use);
    if (!merges) {
      const inside: Override["origin"] = (further, at) => origin([...written, ...further], at);
      return [{ path, value: structuredClone(value), label: origin(written, "key"), origin: inside }];
    }
    return Object.entries(value).flatMap(([key, inner]) => walk([...path, key], inner, [...written, key]));
  };
  return Object.entries(changes).flatMap(([key, value]) => walk(parsePath(key), value, [key]));
}
