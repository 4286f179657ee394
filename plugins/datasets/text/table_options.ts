import { nameOfFile, type RemoteFile } from "../../../core/data/remote_file.ts";
import { UserError } from "../../../core/errors.ts";
import type { DatasetSetup } from "../../../core/plugin/dataset.ts";
import type { OptionKit } from "../../../core/plugin/kit.ts";
import { seedSchema } from "../../../core/recipe/bounds.ts";
import { parseTable, TABLE_FORMATS, type TableFormat, type TableRow } from "./columns.ts";
import { decodeText, type Encoding, ENCODINGS } from "./decode_text.ts";
import { type ClassName, classNames } from "./labels.ts";

/** A file of a table, by path or URL. */
export type TableFile = string | RemoteFile;

/** What data sets of tables have: where their splits are, and how tables are written. */
export interface TableOptions {
  readonly train: TableFile;
  readonly test: TableFile | null;
  readonly testPart: number | null;
  readonly seed: number;
  readonly more: Readonly<Record<string, TableFile>>;
  readonly unlabelled: readonly TableFile[];
  readonly classes: readonly ClassName[] | null;
  readonly columns: readonly string[] | null;
  readonly format: TableFormat | null;
  readonly quotes: boolean | null;
  readonly encoding: Encoding;
}

/** The schema's part for {@link TableOptions}. @param example what a row is: `picture` */
export function tableOptions(kit: OptionKit, example: "example" | "picture") {
  const { z, dataFile } = kit;
  const stay = example === "example" ? "; equal texts stay on one side" : "";
  return {
    train: dataFile().describe(`Table of the training ${example}s`),
    test: dataFile().nullable().default(null).describe(`Table of the test ${example}s; null: see testPart`),
    testPart: z.number().positive().lt(1).nullable().default(null).describe(
      `Instead of test: the part of each class's ${example}s in train that is the test set${stay}`,
    ),
    seed: seedSchema.default(0).describe("Seed of the split by testPart, apart from the run's"),
    more: z.record(z.string(), dataFile()).default({}).describe("Further splits by name, for validation.from"),
    unlabelled: z.array(dataFile()).default([]).describe(
      `Tables of further training ${example}s without labels; a column of labels in them is not read`,
    ),
    classes: classNames(kit).min(2).nullable().default(null).describe(
      "Names of the classes in the order of their numbers; null: the training labels in the order of the alphabet, or " +
        "of the numbers that they are",
    ),
    columns: z.array(z.string().min(1)).min(1).nullable().default(null).describe(
      `Names of the columns of a table whose first line is ${
        example === "example" ? "an example" : "a picture"
      }; null: the first line has them`,
    ),
    format: z.enum(TABLE_FORMATS).nullable().default(null).describe("How tables are written; null: by a file's name"),
    quotes: z.boolean().nullable().default(null).describe(
      "Whether double quotes enclose cells; null: in CSV, not in TSV",
    ),
    encoding: z.enum(ENCODINGS).default("utf-8").describe("Encoding of the tables"),
  };
}

/** Reads a table. @param split what it holds, for messages */
export async function readTable(
  file: TableFile,
  split: string,
  options: Pick<TableOptions, "format" | "quotes" | "columns" | "encoding">,
  { readFile }: Pick<DatasetSetup, "readFile">,
): Promise<{ readonly file: string; readonly rows: TableRow[] }> {
  const name = nameOfFile(file);
  const format = options.format ?? TABLE_FORMATS.find((known) => name.endsWith(`.${known}`));
  if (!format) {
    throw new UserError(`Cannot tell how "${name}" is written: set format to ${TABLE_FORMATS.join(", ")}`);
  }
  const text = decodeText(await readFile(file, `the ${split} table`), options.encoding, name);
  const quotes = options.quotes ?? format === "csv";
  return { file: name, rows: parseTable(text, name, { format, quotes, columns: options.columns }) };
}
