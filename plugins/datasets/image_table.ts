import { UserError } from "../../core/errors.ts";
import { type DatasetSetup, defineDataset, type RemoteFile } from "../../core/plugin/dataset.ts";
import { seedSchema } from "../../core/recipe/bounds.ts";
import { showText } from "../../core/recipe/words.ts";
import { visiblePath } from "../../core/visible.ts";
import { HashedPictures } from "./pictures/hashed_pictures.ts";
import { pictureDataset, type PictureExample, type PictureParts } from "./pictures/picture_dataset.ts";
import { agreeing, type PictureOptions, pictureOptions } from "./pictures/picture_options.ts";
import { readTable } from "./text_table.ts";
import { badExample, BadExamples, type ExamplePlace } from "./text/bad_examples.ts";
import { labelOf, TABLE_FORMATS, type TableFormat, type TableRow, textOf } from "./text/columns.ts";
import { type Encoding, ENCODINGS } from "./text/decode_text.ts";
import { type ClassName, classNames, classNumber, namedClasses, sortedClasses } from "./text/labels.ts";
import { splitGroups } from "./text/split_groups.ts";

/** A file of a table, by path or URL. */
type File = string | RemoteFile;

interface ImageTableOptions extends Omit<PictureOptions, "classes"> {
  folder: string;
  train: File;
  test: File | null;
  testPart: number | null;
  more: Record<string, File>;
  seed: number;
  path: string;
  label: string;
  classes: ClassName[] | null;
  columns: string[] | null;
  format: TableFormat | null;
  quotes: boolean | null;
  encoding: Encoding;
}

/** Pictures that tables name, each with the class of it. */
export const imageTable = defineDataset<ImageTableOptions>({
  name: "image-table",
  description: "Pictures (PNG, JPEG, WebP, GIF, BMP) that a TSV, CSV or JSONL table names, with a class each",
  source: "RFC 4180 (CSV), https://jsonlines.org",
  options: (kit) => {
    const { z, dataFile } = kit;
    return z.strictObject({
      folder: z.string().min(1).describe("Folder that the paths in the tables count from, and lie in"),
      train: dataFile().describe("Table of the training pictures"),
      test: dataFile().nullable().default(null).describe("Table of the test pictures; null: see testPart"),
      testPart: z.number().positive().lt(1).nullable().default(null).describe(
        "Instead of test: the part of each class's pictures in train that is the test set",
      ),
      more: z.record(z.string(), dataFile()).default({}).describe("Further splits by name, for validation.from"),
      seed: seedSchema.default(0).describe("Seed of the split by testPart, apart from the run's"),
      path: z.string().min(1).default("path").describe("Column of the path"),
      label: z.string().min(1).default("label").describe("Column of the class"),
      classes: classNames(kit).min(2).nullable().default(null).describe(
        "Names of the classes in the order of their numbers; null: the training labels in the order of the alphabet, or " +
          "of the numbers that they are",
      ),
      columns: z.array(z.string().min(1)).min(1).nullable().default(null).describe(
        "Names of the columns of a table whose first line is a picture; null: the first line has them",
      ),
      format: z.enum(TABLE_FORMATS).nullable().default(null).describe(
        "How the table is written; null: by the file's name",
      ),
      quotes: z.boolean().nullable().default(null).describe(
        "Whether double quotes enclose cells; null: in CSV, not in TSV",
      ),
      encoding: z.enum(ENCODINGS).default("utf-8").describe("Encoding of the tables"),
      ...pictureOptions(kit),
    }).superRefine((options, { addIssue }) => {
      const message = (options.test === null) === (options.testPart === null)
        ? "Expected one of test and testPart"
        : agreeing(options as PictureOptions);
      if (message !== null) addIssue({ code: "custom", message });
    });
  },
  async load(options, setup) {
    const { folder: name, train, test, testPart } = options;
    const folder = await setup.openFolder(name, "the pictures");
    const files = { ...options.more, train, ...(test !== null && { test }) };
    const bad = new BadExamples(options.onBad);
    const known = new Set(folder.paths);
    const named: Record<string, NamedPicture[]> = {};
    for (const [split, file] of Object.entries(files)) {
      named[split] = await namedIn(file, split, known, options, setup, bad);
    }
    const classes = options.classes ? namedClasses(options.classes) : classesIn(named.train, options.label);
    const pictures = new HashedPictures();
    const splits: Record<string, PictureExample[]> = {};
    for (const [split, own] of Object.entries(named)) {
      const examples = own.map(({ path, answer, where, line }) => {
        return { path, where, label: classNumber(answer, classes, { file: where.file, line }) };
      });
      splits[split] = await pictures.add(folder, examples, bad);
    }
    if (testPart !== null) {
      const drawn = { test: testPart, seed: options.seed, takeEach: null };
      Object.assign(
        splits,
        splitGroups(splits.train, ({ path }) => pictures.hashOf(path), ({ label }) => label, drawn),
      );
    }
    return await pictureDataset({
      ...{ folder, name, pictures, classes, setup, bad, warnings: [] },
      options: { ...options, classes: null },
      splits: splits as unknown as PictureParts["splits"],
    });
  },
});

/** A picture that a table names. */
interface NamedPicture {
  readonly path: string;
  readonly answer: string;
  readonly line: number;
  readonly where: ExamplePlace;
}

async function namedIn(
  file: File,
  split: string,
  known: ReadonlySet<string>,
  options: ImageTableOptions,
  setup: DatasetSetup,
  bad: BadExamples,
): Promise<NamedPicture[]> {
  const table = await readTable(file, split, options, setup);
  const kept = table.rows.flatMap((row) =>
    bad.keep((): NamedPicture => {
      const answer = labelOf(row, options.label, table.file, "one class, a text or a number");
      const path = pathOf(row, table.file, known, options);
      const where = { file: table.file, place: `line ${row.line} ("${visiblePath(path)}")` };
      return { path, answer, line: row.line, where };
    })
  );
  bad.checkSome(table.file, kept);
  return kept;
}

/** The path of a row's picture, as the folder has it. */
function pathOf(row: TableRow, file: string, known: ReadonlySet<string>, { path: column, folder }: ImageTableOptions) {
  const written = textOf(row, column, file).trim();
  const where = { file, place: `line ${row.line}` };
  if (written === "") badExample(where, "its path is empty");
  const path = [written, written.replaceAll("\\", "/")].map((one) => one.replace(/^(?:\.\/)+/, "")).find((one) =>
    known.has(one)
  );
  return path ?? badExample(where, `there is no file ${showText(written)} in "${visiblePath(folder)}"`);
}

function classesIn(train: readonly NamedPicture[], label: string): string[] {
  const classes = sortedClasses(train.map(({ answer }) => answer));
  if (classes.length >= 2 && classes.length <= 2 ** 16) return classes;
  throw new UserError(
    `Cannot tell classes by the column "${label}" of "${train[0].where.file}": it has ${classes.length} different ` +
      "values, and 2 to 65536 are needed",
  );
}
