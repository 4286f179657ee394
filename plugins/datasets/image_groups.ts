import { UserError } from "../../core/errors.ts";
import { listWords } from "../../core/recipe/words.ts";

/** Classes by the name of the group that stands for them: by their names, or by their numbers from 0. */
export type ClassGroups = Readonly<Record<string, readonly (string | number)[]>>;

/** The classes that a data set has after grouping. */
export interface GroupedClasses {
  /** The groups, in the order of their numbers. */
  readonly classes: readonly string[];
  /** The group's number of each class that was there before. */
  readonly groupOf: Uint16Array;
}

/**
 * Groups of classes that take the classes' place, as in LELP's experiments with few classes: even and odd ones, say.
 *
 * @param classes names of the classes
 * @param groups each class in one of them
 * @throws UserError for a class that is not there, one in no group, or one named twice
 *
 * @example
 * ```ts
 * groupClasses(["cat", "dog", "ship"], { animal: ["cat", "dog"], thing: [2] }).groupOf; // [0, 0, 1]
 * ```
 */
export function groupClasses(classes: readonly string[], groups: ClassGroups): GroupedClasses {
  const names = Object.keys(groups);
  const groupOf: (number | undefined)[] = classes.map(() => undefined);
  for (const [group, name] of names.entries()) {
    for (const member of groups[name]) {
      const number = typeof member === "number" ? member : classes.indexOf(member);
      if (number < 0 || number >= classes.length) {
        const known = listWords(classes, "or");
        throw new UserError(`Cannot put the class ${shown(member)} in the group "${name}": expected ${known}`);
      }
      const before = groupOf[number];
      if (before !== undefined) {
        const where = before === group ? `"${name}" twice` : `"${names[before]}" and in "${name}"`;
        throw new UserError(`Cannot put the class "${classes[number]}" in the group ${where}: it must be in one, once`);
      }
      groupOf[number] = group;
    }
  }
  const missing = classes.filter((_, number) => groupOf[number] === undefined);
  if (missing.length > 0) {
    throw new UserError(
      `Cannot group the classes as ${listWords(missing, "and")} ${missing.length === 1 ? "is" : "are"} in no group: ` +
        `expected each class in one`,
    );
  }
  return { classes: names, groupOf: Uint16Array.from(groupOf as number[]) };
}

const shown = (member: string | number) => typeof member === "number" ? `${member}` : `"${member}"`;
