import { visible } from "../../core/visible.ts";

/** Which side the cells of a column stand at. */
export type Alignment = "left" | "right";

/**
 * Lines of aligned columns, two spaces apart, without trailing spaces.
 *
 * @param rows cells, of which what no eye sees is escaped, so that a name cannot end a line; a row may end early
 * @param alignment one for each column; the last one goes on for columns after it
 *
 * @example
 * ```ts
 * alignColumns([["a", "1"], ["total", "12"]], ["left", "right"]); // ["a       1", "total  12"]
 * ```
 */
export function alignColumns(rows: readonly (readonly string[])[], alignment: readonly Alignment[]): string[] {
  const shown = rows.map((row) => row.map(visible));
  const columns = Math.max(0, ...shown.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...shown.map((row) => width(row[column]))));
  return shown.map((row) =>
    row.map((cell, column) => {
      const padding = " ".repeat(widths[column] - width(cell));
      return (alignment[column] ?? alignment.at(-1)) === "right" ? padding + cell : cell + padding;
    }).join("  ").trimEnd()
  );
}

/** Characters as a person counts them. */
function width(cell = ""): number {
  return [...cell].length;
}
