import { basename } from "node:path";
import { UserError } from "../../core/errors.ts";
import type { TableRow } from "../../plugins/datasets/text/columns.ts";
import { type Entry, line } from "./entries.ts";
import { nameFrom } from "./found.ts";
import { readRows } from "./read_rows.ts";
import { expectWhole } from "./splits.ts";

/** The files of a table, as paths from the working directory. */
export interface TableFiles {
  readonly train: string;
  /** Tables that may be the test set, the likeliest first; none: a part of the training table is. */
  readonly tests: readonly string[];
  /** Whether the user named the test table. */
  readonly isTestNamed: boolean;
}

/** The training examples' labels, of which test examples have some. */
export interface KnownLabels {
  readonly rows: readonly TableRow[];
  readonly column: string;
  /** Whether each is the name of one class, so that another text is none of them. */
  readonly areClasses: boolean;
}

/**
 * Which tables have the training and the test examples. One without labels measures nothing: benchmarks keep those of
 * their test set back, so that it gives way to the next.
 *
 * @param labels `null` if no example has one
 * @param folder that of the recipe
 * @param examples what a row is, for comments: "rows"
 * @throws UserError for a named table without labels, or a test set in several files
 */
export async function splitLines(
  { train, tests, isTestNamed }: TableFiles,
  labels: KnownLabels | null,
  folder: string,
  examples: string,
): Promise<Entry[]> {
  const first = line("train", nameFrom(folder, train));
  const bare: string[] = [];
  for (const test of tests) {
    expectWhole(test, tests, "--test FILE");
    const isUsable = labels === null || await holdsLabels(test, labels);
    if (isUsable) return [first, line("test", nameFrom(folder, test), bare.length > 0 ? lacking(bare) : undefined)];
    if (isTestNamed) {
      throw new UserError(
        `--test ${test}: Cannot measure on it as it has none of the labels in "${labels.column}" of "${train}"`,
      );
    }
    bare.push(basename(test));
  }
  const why = bare.length > 0 ? `, as ${lacking(bare)}` : "";
  return [first, line("testPart", 0.2, `a fifth of the ${examples} is the test set${why}; or test: another table`)];
}

async function holdsLabels(path: string, { rows, column, areClasses }: KnownLabels): Promise<boolean> {
  const labelsOf = (rows: readonly TableRow[]) =>
    rows.map(({ cells }) => cells[column] ?? "").map((cell) => typeof cell === "string" ? cell.trim() : cell);
  const known = areClasses ? new Set(labelsOf(rows)) : null;
  return labelsOf((await readRows(path)).rows).some((label) => label !== "" && (known?.has(label) ?? true));
}

const lacking = (names: readonly string[]) =>
  `${names.join(" and ")} ${names.length > 1 ? "have" : "has"} no such labels`;
