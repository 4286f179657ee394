import type { TableRow } from "../../plugins/datasets/text/columns.ts";
import { type SeveralForm, severalFormOf } from "./several.ts";

/** What a column of a table holds. */
export interface Column {
  readonly name: string;
  /** Values that are not empty. */
  readonly filled: number;
  /** Different ones of these. */
  readonly different: number;
  /** Words of these, on average. */
  readonly words: number;
  /** Whether all of these are numbers. */
  readonly areNumbers: boolean;
  /** Whether all of these are whole numbers. */
  readonly areWhole: boolean;
  /** Whether all of these are whole numbers, with or without a point and zeros. */
  readonly areIntegral: boolean;
  /** Whether lists or maps of JSON are among them. */
  readonly hasLists: boolean;
  /** How they say several classes each; `null` if they do not. */
  readonly several: SeveralForm | null;
  /** Whether all of these are names of picture files. */
  readonly arePictures: boolean;
}

const PICTURE = /^[^\s].*\.(?:png|jpe?g|webp|gif|bmp)$/i;

const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;

/** Describes the columns of some rows, in their order. */
export function describeColumns(rows: readonly TableRow[]): Column[] {
  const names = Object.keys(rows[0]?.cells ?? {});
  return names.map((name) => {
    const cells = rows.map(({ cells }) => cells[name]).filter((cell) => cell !== "" && cell !== undefined);
    const texts = cells.filter((cell) => typeof cell === "string").map((cell) => cell.trim());
    const words = texts.reduce((sum, text) => sum + text.split(/\s+/).length, 0) / Math.max(1, texts.length);
    return {
      name,
      filled: cells.length,
      different: new Set(texts).size,
      words,
      areNumbers: texts.length > 0 && texts.every((text) => NUMBER.test(text)),
      areWhole: texts.length > 0 && texts.every((text) => /^\s*[+-]?\d+\s*$/.test(text)),
      areIntegral: texts.length > 0 && texts.every((text) => /^[+-]?\d+(?:\.0*)?$/.test(text)),
      hasLists: texts.length < cells.length,
      several: severalFormOf(cells),
      arePictures: texts.length > 0 && texts.length === cells.length && texts.every((text) => PICTURE.test(text)),
    };
  });
}

/** Names that columns of labels usually have, without case; the first are the surest. */
const LABEL =
  /^(?:labels?|class(?:es)?|targets?|category|categories|tags|genres|sentiment|intent|topics?|stars|rating|score|y|gold)$/i;

/** Names of columns that say several classes of each example. */
export const SEVERAL = /^(?:labels|classes|targets|categories|tags|genres|topics)$/i;

/** Names that columns of texts usually have. */
const TEXT = /^(?:texts?|sentence|review|content|body|message|document|comment|tweet|utterance|query|question)$/i;

/** Names of both columns of a pair. */
const PAIRS: readonly (readonly [RegExp, RegExp])[] = [
  [/^(?:sentence|text|question|query)[ _-]?(?:1|a)$/i, /^(?:sentence|text|question|query)[ _-]?(?:2|b)$/i],
  [/^premise$/i, /^hypothesis$/i],
  [/^(?:question|query)$/i, /^(?:sentence|answer|passage|context|document)$/i],
];

/** More different labels than these are no classes that a person numbered. */
export const MOST_CLASSES = 1000;
const MOST_NUMBERED = 20;

/** Which columns may be what. Where there is one of a kind, it is that. */
export interface Roles {
  /** Columns of texts; two that belong together are in `pair`. */
  readonly texts: readonly Column[];
  readonly pair: readonly [Column, Column] | null;
  readonly labels: readonly Column[];
}

/** Tells texts from labels. */
export function rolesOf(columns: readonly Column[], rows: number): Roles {
  const labels = labelsAmong(columns, rows);
  const others = columns.filter((column) => !(labels.length === 1 && labels[0] === column));
  const isText = ({ words, areNumbers, different, filled }: Column) =>
    !areNumbers && filled > 0 && (words >= 3 || different > 0.5 * filled && words >= 1.5);
  const long = others.filter(isText);
  const named = others.filter(({ name, areNumbers }) => TEXT.test(name) && !areNumbers);
  const pairs = PAIRS.flatMap(([first, second]) => {
    const [a, b] = [others.find(({ name }) => first.test(name)), others.find(({ name }) => second.test(name))];
    return a && b && a !== b && !a.areNumbers && !b.areNumbers ? [[a, b] as const] : [];
  });
  const texts = named.length === 1 && pairs.length === 0
    ? named
    : long.length > 0
    ? long
    : others.filter(({ areNumbers }) => !areNumbers);
  const pair = pairs[0] ?? null;
  const areTwo = pair !== null && texts.every((column) => pair.includes(column));
  return { texts, pair: areTwo ? pair : null, labels };
}

function labelsAmong(columns: readonly Column[], rows: number): Column[] {
  const named = columns.filter(({ name }) => LABEL.test(name));
  if (named.length > 0) {
    const sure = named.filter(({ name }) => /^(?:labels?|targets?|class)$/i.test(name));
    return sure.length === 1 ? sure : named;
  }
  // What repeats itself: numbers of rows and texts do not.
  return columns.filter(({ different, words, filled, hasLists, several }) =>
    (several !== null && words < 4 ||
      !hasLists && words < 4 && different >= 2 && different <= Math.min(MOST_CLASSES, Math.max(2, filled / 3))) &&
    filled > 0.5 * rows
  );
}

/** Whether a column tells the examples apart; of measures no two may be alike, too. */
export function isId({ filled, different, areNumbers, areIntegral }: Column, rows: number): boolean {
  return filled === rows && different === filled && (!areNumbers || areIntegral);
}

/** Columns that may hold labels in a form of which nothing is known, beside texts, pictures and ids. */
export function openAmong(columns: readonly Column[], texts: readonly Column[], rows: number): Column[] {
  return columns.filter((column) =>
    !texts.includes(column) && !column.arePictures && !isId(column, rows) && (column.hasLists || column.different > 1)
  );
}

/**
 * Whether a column's labels are numbers to be predicted, rather than the numbers or names of classes; `null` where both
 * may be: many numbers that repeat are classes or ratings, and pandas writes those of classes as 1.0 if one is missing.
 */
export function areMeasures({ areNumbers, areWhole, areIntegral, different, filled }: Column): boolean | null {
  if (!areNumbers || areWhole && different <= MOST_NUMBERED) return false;
  return areIntegral && different <= filled / 3 ? null : true;
}
