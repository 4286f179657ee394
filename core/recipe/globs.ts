import { UserError } from "../errors.ts";
import { listWords } from "./words.ts";

/** A recipe's entry that chooses weights by their names. */
export interface LayerEntry {
  /** A pattern or several: `layer*.conv*`; `!layer1.*` leaves out. */
  layers: string | readonly string[];
}

/**
 * Whether a pattern matches a whole name. `*` stands for any characters, dots included (`layer*.conv*` matches
 * `layer1.0.conv1.weight`), and `?` for any one character.
 *
 * @param pattern the pattern, without `!`
 * @param name a dotted name
 * @returns true on a match
 */
export function matchesPattern(pattern: string, name: string): boolean {
  return patternDistance(pattern, name) === 0;
}

/**
 * Whether a name is chosen: some pattern matches it, and none of those with `!` does. Patterns that are all with `!`
 * leave out from everything. The order does not count.
 *
 * @param patterns a pattern or several
 * @param name a dotted name
 * @returns true when the name is chosen
 */
export function matchesLayers(patterns: LayerEntry["layers"], name: string): boolean {
  const all = [patterns].flat();
  const wanted = all.filter((pattern) => !pattern.startsWith("!"));
  const unwanted = all.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1));
  return (wanted.length === 0 || wanted.some((pattern) => matchesPattern(pattern, name))) &&
    !unwanted.some((pattern) => matchesPattern(pattern, name));
}

/**
 * Gives each name to the first entry that chooses it.
 *
 * @param entries entries in the recipe's order
 * @param names all names that may be chosen
 * @param refuse makes the error for the entry at an index; for a recipe, `Checked.error` with the entry's path
 * @returns for each chosen name its entry, in the order of the names
 * @throws UserError if a pattern matches no name, or earlier entries left nothing for an entry
 *
 * @example
 * ```ts
 * assignLayers([{ layers: "*.conv*", cores: 3 }], ["conv1.weight", "layer1.0.conv1.weight"]);
 * // Map { "layer1.0.conv1.weight" => { layers: "*.conv*", cores: 3 } }
 * ```
 */
export function assignLayers<Entry extends LayerEntry>(
  entries: readonly Entry[],
  names: readonly string[],
  refuse: (index: number, sentence: string) => UserError = (_, sentence) => new UserError(sentence),
): Map<string, Entry> {
  const owner = new Map<string, number>();
  for (const [index, { layers }] of entries.entries()) {
    for (const pattern of [layers].flat()) {
      const bare = pattern.replace(/^!/, "");
      if (!names.some((name) => matchesPattern(bare, name))) throw refuse(index, noMatch(pattern, bare, names));
    }
    const chosen = names.filter((name) => matchesLayers(layers, name));
    const free = chosen.filter((name) => !owner.has(name));
    if (free.length === 0) {
      const reason = chosen.length === 0 ? "its own exclusions leave out all" : "earlier entries have all";
      throw refuse(index, `Cannot use ${JSON.stringify(layers)} as ${reason} that it matches: nothing is left for it`);
    }
    for (const name of free) owner.set(name, index);
  }
  return new Map(names.filter((name) => owner.has(name)).map((name) => [name, entries[owner.get(name)!]]));
}

function noMatch(pattern: string, bare: string, names: readonly string[]): string {
  if (names.length === 0) return `Nothing matches "${pattern}": there is nothing to choose from`;
  const near = [...names].sort((a, b) => patternDistance(bare, a) - patternDistance(bare, b)).slice(0, 3);
  return `Nothing matches "${pattern}": the nearest of ${names.length} are ${listWords(near, "and")}`;
}

/** Edit distance from a pattern to a name, in which what `*` and `?` stand for costs nothing; 0 is a match. */
function patternDistance(pattern: string, name: string): number {
  let last = Array.from({ length: name.length + 1 }, (_, j) => j);
  for (const symbol of pattern) {
    const row = [symbol === "*" ? last[0] : last[0] + 1];
    for (let j = 1; j <= name.length; j++) {
      row[j] = symbol === "*"
        ? Math.min(last[j], row[j - 1])
        : Math.min(last[j - 1] + (symbol === "?" || symbol === name[j - 1] ? 0 : 1), last[j] + 1, row[j - 1] + 1);
    }
    last = row;
  }
  return last[name.length];
}
