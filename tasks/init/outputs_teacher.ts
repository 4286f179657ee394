import { UserError } from "../../core/errors.ts";
import { readUserFile } from "../../core/files.ts";
import { showClasses } from "../../core/plugin/class_names.ts";
import { visible } from "../../core/visible.ts";
import { parseSafetensors, toFloat32 } from "../../core/safetensors.ts";
import { parseTable, TABLE_FORMATS, type TableRow } from "../../plugins/datasets/text/columns.ts";
import { decodeText } from "../../plugins/datasets/text/decode_text.ts";
import { sortedClasses } from "../../plugins/datasets/text/labels.ts";
import type { Asking } from "./asking.ts";
import { describeColumns } from "./columns.ts";
import { type Entry, line } from "./entries.ts";
import type { FoundTeacher, TeacherFlags } from "./teacher.ts";
import { type Answers, toldAnswers } from "./told.ts";

/** Names of files of outputs. */
export const OUTPUT_FILES = /\.(?:jsonl|csv|tsv|safetensors)$/i;

/** The numbers of each record, and what is said of them. */
interface Numbers {
  /** Of some records; fewer than there are classes where the most probable are given alone. */
  readonly rows: readonly (readonly number[])[];
  /** Where the recipe has to say it. */
  readonly column: string | null;
  /** Names that stand with the numbers; none for lists. */
  readonly classes: readonly string[];
  /** How many there are for each record; `null` where they are named. */
  readonly width: number | null;
  readonly lacksSome: boolean;
}

/** Records that are looked at. */
const SAMPLE = 200;

/** How far from 1 a sum of probabilities may be. */
const ROUNDING = 0.01;

/**
 * Looks at a file of what a teacher said.
 *
 * @throws UserError for one without numbers, or what it does not say and nobody is there to be asked
 */
export async function lookAtOutputs(path: string, flags: TeacherFlags, asking: Asking): Promise<FoundTeacher> {
  const bytes = await readUserFile(path, "the teacher's outputs");
  if (/\.safetensors$/i.test(path)) {
    return foundOf(path, numbersOfTensors(path, bytes, flags, asking), flags, { rows: [], ids: [], paths: [] });
  }
  const { numbers, rows, ids, paths, ofColumns } = numbersOfTable(path, bytes, flags, asking);
  const records = { rows, ids, paths };
  if (!ofColumns) return foundOf(path, numbers, flags, records);
  const ofClasses = (classes: readonly string[], id: string | null): FoundTeacher => {
    const other = numbers.classes.find((name) => name !== id && !classes.includes(name));
    if (other === undefined) return foundOf(path, ofColumns(classes), flags, records);
    throw new UserError(
      `--teacher ${path}: Cannot tell what its numbers in the column "${
        visible(other)
      }" are, as the data's classes are ` +
        `${showClasses(classes)}: leave the column out of the file`,
    );
  };
  return foundOf(path, numbers, flags, { ...records, ofClasses });
}

/** The teacher that the numbers of a file are. */
function foundOf(
  path: string,
  numbers: Numbers,
  flags: TeacherFlags,
  records: NonNullable<FoundTeacher["records"]>,
): FoundTeacher {
  const { classes, width, column } = numbers;
  const { values, settings } = valuesOf(numbers, toldAnswers(flags));
  return {
    path,
    use: "outputs",
    what: "a file of outputs",
    settings: [
      ...settings,
      ...(column !== null && column !== values ? [line("column", column)] : []),
      ...(values === "probabilities" ? [line("temperature", 1, "at which they were made")] : []),
    ],
    images: null,
    texts: null,
    task: null,
    outputs: width,
    described: null,
    options: {},
    classes,
    tokenizer: null,
    processor: null,
    records,
  };
}

/** Probabilities, of one class or of each by itself, or logits. */
function valuesOf(
  { rows, lacksSome }: Numbers,
  told: Answers | null,
): { readonly values: Answers; readonly settings: readonly Entry[] } {
  const areParts = rows.every((row) => row.every((value) => value >= 0 && value <= 1 + ROUNDING));
  const sums = rows.map((row) => row.reduce((sum, value) => sum + value, 0));
  const areWhole = sums.every((sum) => lacksSome ? sum <= 1 + ROUNDING : Math.abs(sum - 1) <= ROUNDING);
  const values = told ?? (areParts ? "probabilities" : "logits");
  if (values === "logits") return { values, settings: [line("values", values, told ? undefined : "by their sizes")] };
  return {
    values,
    settings: [
      line("values", values, !areWhole ? undefined : lacksSome ? "they sum to 1 at most" : "they sum to 1"),
      ...(areWhole ? [] : [line("independent", true, "each class has one of its own, as they do not sum to 1")]),
      ...(areWhole && lacksSome
        ? [line("rest", "spread", "what the given ones leave of 1, over the other classes")]
        : []),
    ],
  };
}

function numbersOfTable(path: string, bytes: Uint8Array<ArrayBuffer>, flags: TeacherFlags, asking: Asking) {
  const format = TABLE_FORMATS.find((known) => path.toLowerCase().endsWith(`.${known}`))!;
  const rows = parseTable(decodeText(bytes, "utf-8", path), path, { format, quotes: format === "csv", columns: null });
  if (rows.length === 0) throw new UserError(`--teacher ${path}: Cannot use it as it has no outputs`);
  const columns = describeColumns(rows);
  const ids = columns.filter(({ filled, different }) => filled === rows.length && different === filled)
    .map(({ name }) => name);
  const paths = columns.filter(({ arePictures }) => arePictures).map(({ name }) => name);
  const lists = columns.filter(({ name }) => rows.every(({ cells }) => holdsNumbers(cells[name])));
  if (lists.length > 0) {
    const { name } = one(path, lists, flags, asking, "column");
    return { numbers: numbersIn(rows, name), rows, ids, paths, ofColumns: null };
  }
  // An id is a number, too.
  const named = columns.filter(({ areNumbers, name }) => areNumbers && !/^(?:id|key|row|index|number)$/i.test(name));
  if (named.length === 0) {
    throw new UserError(
      `--teacher ${path}: Cannot find outputs in it: expected a column of lists of numbers or of maps from class to ` +
        `number, or a column for each class; there are ${columns.map(({ name }) => name).join(", ")}`,
    );
  }
  const ofColumns = (classes: readonly string[]): Numbers => {
    const sample = rows.slice(0, SAMPLE).map(({ cells }) =>
      classes.flatMap((name) => cells[name] === "" ? [] : [Number(cells[name])])
    );
    const lacksSome = named.some(({ name, filled }) => classes.includes(name) && filled < rows.length);
    return { rows: sample, column: null, classes, width: null, lacksSome };
  };
  return { numbers: ofColumns(named.map(({ name }) => name)), rows, ids, paths, ofColumns };
}

function holdsNumbers(cell: string | object | undefined): cell is object {
  if (typeof cell !== "object") return false;
  const values: unknown[] = Array.isArray(cell) ? cell : Object.values(cell);
  return values.length > 0 && values.every((value) => typeof value === "number" || value === null);
}

function numbersIn(rows: readonly TableRow[], column: string): Numbers {
  const cells = rows.map(({ cells }) => cells[column] as object);
  const areLists = cells.every(Array.isArray);
  const values = cells.slice(0, SAMPLE).map((cell) =>
    Object.values(cell).filter((value) => value !== null) as number[]
  );
  const names = cells.flatMap((cell) => Object.keys(cell).map((name) => name.trim()));
  const classes = areLists ? [] : sortedClasses(names);
  const width = areLists ? (cells[0] as unknown[]).length : null;
  const most = width ?? classes.length;
  return { rows: values, column, classes, width, lacksSome: values.some((row) => row.length < most) };
}

function numbersOfTensors(path: string, bytes: Uint8Array<ArrayBuffer>, flags: TeacherFlags, asking: Asking): Numbers {
  const { tensors } = parseSafetensors(bytes, `"${path}"`);
  const weight = [...tensors.keys()].find((name) => /\.(?:weight|bias)$/.test(name));
  if (weight !== undefined) {
    throw new UserError(
      `--teacher ${path}: Cannot find outputs in it as it holds a model's weights, such as ${weight}: expected a tensor ` +
        "[examples, classes], or weights that are known by their names alone, a ResNet's or a MobileNet's",
    );
  }
  const tables = [...tensors].flatMap(([name, { shape }]) => shape.length === 2 && shape[0] > 0 ? [{ name }] : []);
  if (tables.length === 0) {
    throw new UserError(`--teacher ${path}: Cannot find outputs in it: expected a tensor [examples, classes]`);
  }
  const { name } = one(path, tables, flags, asking, "tensor");
  const tensor = tensors.get(name)!;
  const width = tensor.shape[1];
  const numbers = toFloat32(tensor);
  const rows = Array.from(
    { length: Math.min(SAMPLE, tensor.shape[0]) },
    (_, row) => [...numbers.subarray(row * width, (row + 1) * width)],
  );
  return { rows, column: name, classes: [], width, lacksSome: false };
}

/** One of several columns or tensors. */
function one<Named extends { readonly name: string }>(
  path: string,
  possible: readonly Named[],
  { teacherOutput: given }: TeacherFlags,
  asking: Asking,
  what: string,
): Named {
  const names = possible.map(({ name }) => name);
  if (given !== undefined) {
    const named = possible.find(({ name }) => name === given);
    if (named) return named;
    throw new UserError(`--teacher-output ${given}: Cannot find it in "${path}": it has ${names.join(", ")}`);
  }
  if (possible.length === 1) return possible[0];
  const chosen = asking.choose({
    question: `Which ${what} of ${path} has the outputs?`,
    cannot: `--teacher ${path}: Cannot tell which ${what} has the outputs`,
    flag: "--teacher-output NAME",
    choices: names,
  });
  return possible.find(({ name }) => name === chosen)!;
}
