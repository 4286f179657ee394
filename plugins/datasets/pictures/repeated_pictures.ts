import { UserError } from "../../../core/errors.ts";
import { visiblePath } from "../../../core/visible.ts";

/** A picture that a line of a table names. */
export interface TableLine {
  readonly path: string;
  /** -1: none; of several classes a list. */
  readonly label: number | readonly number[];
  readonly line: number;
}

/** The lines of a table that name pictures. */
export interface TableLines {
  readonly file: string;
  readonly lines: readonly TableLine[];
}

/**
 * Looks for pictures that are named more than once.
 *
 * @param tables of different splits; that a picture is in two of them is told elsewhere
 * @returns a sentence for each table that has some twice
 * @throws UserError for a picture with two classes, whichever lines they stand on
 */
export function repeatedPictures(tables: readonly TableLines[], classes: readonly string[]): string[] {
  const named = ({ label }: TableLine) => {
    const names = (typeof label === "number" ? [label] : label).map((number) => `"${classes[number]}"`);
    return names.length === 0 ? "none of the classes" : names.join(" with ");
  };
  const classified = new Map<string, TableLine & { readonly file: string }>();
  return tables.flatMap(({ file, lines }) => {
    const seen = new Map<string, number>();
    const again: TableLine[] = [];
    for (const one of lines) {
      const before = classified.get(one.path);
      if (one.label !== -1 && before && `${before.label}` !== `${one.label}`) {
        throw new UserError(
          `Cannot tell what "${visiblePath(one.path)}" shows: line ${before.line} of "${before.file}" says ` +
            `${named(before)}, and line ${one.line} of "${file}" ${named(one)}; leave one out`,
        );
      }
      if (one.label !== -1 && !before) classified.set(one.path, { ...one, file });
      if (seen.has(one.path)) again.push(one);
      else seen.set(one.path, one.line);
    }
    if (again.length === 0) return [];
    const [{ path, line }] = again;
    return [
      `${again.length} of the ${lines.length} lines of "${file}" name a picture once more (line ${line} ` +
      `"${visiblePath(path)}", as line ${seen.get(path)} does): it counts as often as it is named`,
    ];
  });
}
