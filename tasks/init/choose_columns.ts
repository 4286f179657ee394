import { UserError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { listNames } from "../../core/recipe/words.ts";
import type { Asking } from "./asking.ts";
import type { Column, Roles } from "./columns.ts";
import type { DataFlags } from "./found.ts";

/** The column of the pictures' paths; `null` for a table of texts. @throws UserError as {@link chooseLabel} */
export function choosePath(columns: readonly Column[], flags: DataFlags, asking: Asking, file: string): Column | null {
  if (flags.path !== undefined) return named(columns, "--path", flags.path, file);
  if (flags.text !== undefined) return null;
  const paths = columns.filter(({ arePictures }) => arePictures);
  if (paths.length <= 1) return paths[0] ?? null;
  const chosen = asking.choose({
    question: `Which column of ${file} names the pictures?`,
    cannot: `Cannot tell which column of "${file}" names the pictures`,
    flag: "--path COLUMN",
    choices: paths.map(({ name }) => name),
  });
  return paths.find(({ name }) => name === chosen)!;
}

/** What says that no example has a label. */
const NONE = "none";

/**
 * The column of the label.
 *
 * @param labels columns that seem to be the label
 * @param open those that may be it if none does
 * @param file the table's name, for messages
 * @param isTaught whether there is a teacher
 * @returns `null` where there is none, and the teacher can do without
 * @throws UserError where it cannot be told, and nobody is there to be asked
 */
export function chooseLabel(
  columns: readonly Column[],
  labels: readonly Column[],
  open: readonly Column[],
  { label: given }: DataFlags,
  asking: Asking,
  file: string,
  isTaught: boolean,
): Column | null {
  if (given === NONE && isTaught) return null;
  if (given !== undefined) return named(columns, "--label", given, file);
  if (labels.length === 1) return labels[0];
  const cannot = `Cannot tell which column of "${file}" is the label`;
  if (labels.length === 0 && !isTaught) {
    throw new UserError(
      `${cannot}: it has ${listNames(columns.map(({ name }) => name), "and")}, of which none has few different ` +
        "values; say it with --label COLUMN, or name a --teacher that does without labels",
    );
  }
  if (labels.length === 0 && open.length === 0) return null;
  const names = (labels.length > 0 ? labels : open).map(({ name }) => name);
  const chosen = asking.choose({
    question: `Which column of ${file} is the label?`,
    cannot,
    flag: isTaught ? `--label COLUMN, or --label ${NONE} if no example has one` : "--label COLUMN",
    choices: isTaught ? [...names, NONE] : names,
  });
  return columns.find(({ name }) => name === chosen) ?? null;
}

/** The column of the texts, and that of the second ones of pairs. @throws UserError as {@link chooseLabel} */
export function chooseTexts(columns: readonly Column[], roles: Roles, flags: DataFlags, asking: Asking, file: string) {
  const { texts, pair } = roles;
  const second = flags.pair === undefined ? null : named(columns, "--pair", flags.pair, file);
  if (flags.text !== undefined) return { text: named(columns, "--text", flags.text, file), pair: second };
  if (pair && (second === null || second === pair[1])) return { text: pair[0], pair: pair[1] };
  const open = texts.filter((column) => column !== second);
  if (open.length === 1) return { text: open[0], pair: second };
  if (open.length === 0) {
    throw new UserError(
      `Cannot find a column of texts in "${file}": it has ${
        listNames(columns.map(({ name }) => name), "and")
      } beside the label; say it with --text COLUMN`,
    );
  }
  const names = open.map(({ name }) => name);
  const both = `both, as pairs of texts: ${names.join(" and ")}`;
  const chosen = asking.choose({
    question: `Which column of ${file} holds the texts?`,
    cannot: `Cannot tell which column of "${file}" holds the texts`,
    flag: "--text COLUMN (and --pair COLUMN, if two texts belong together)",
    choices: asking.present && open.length === 2 && second === null ? [...names, both] : names,
  });
  if (chosen === both) return { text: open[0], pair: open[1] };
  return { text: open.find(({ name }) => name === chosen)!, pair: second };
}

function named(columns: readonly Column[], flag: string, name: string, file: string): Column {
  const column = columns.find((column) => column.name === name);
  if (column) return column;
  const names = columns.map(({ name }) => name);
  const near = nearest(name, names);
  throw new UserError(
    `${flag} ${name}: Cannot find that column in "${file}": ${
      near ? `did you mean "${near}"?` : `it has ${listNames(names, "and")}`
    }`,
  );
}
