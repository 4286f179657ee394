import { UserError } from "../../core/errors.ts";
import { type DatasetSetup, defineDataset } from "../../core/plugin/dataset.ts";
import { showText } from "../../core/recipe/words.ts";
import { visiblePath } from "../../core/visible.ts";
import { HashedPictures } from "./pictures/hashed_pictures.ts";
import {
  isLabelled,
  pictureDataset,
  type PictureExample,
  type PictureParts,
  type PictureTable,
} from "./pictures/picture_dataset.ts";
import { disagreement, type PictureOptions, pictureOptions } from "./pictures/picture_options.ts";
import { repeatedPictures } from "./pictures/repeated_pictures.ts";
import { badExample, BadExamples } from "./text/bad_examples.ts";
import { labelIn, severalLabelsIn, type TableRow, textOf } from "./text/columns.ts";
import {
  classesUnsaid,
  type ClassName,
  classNumber,
  expectDifferentSets,
  namedClasses,
  severalMistake,
  type SeveralOptions,
  severalOptions,
  sortedClasses,
} from "./text/labels.ts";
import { sameFileMistake } from "./text/same_file.ts";
import { splitGroups } from "./text/split_groups.ts";
import { readTable, type TableFile, type TableOptions, tableOptions } from "./text/table_options.ts";

interface ImageTableOptions extends TableOptions, Omit<PictureOptions, "classes">, SeveralOptions {
  readonly classes: ClassName[] | null;
  task: "classification" | "multi-label";
  folder: string;
  path: string;
  label: string | null;
}

/** Pictures that tables name, each with the class of it, or several. */
export const imageTable = defineDataset<ImageTableOptions>({
  name: "image-table",
  description:
    "Pictures (PNG, JPEG, WebP, GIF, BMP) that a TSV, CSV or JSONL table names, with a class each, or several",
  source: "RFC 4180 (CSV), https://jsonlines.org",
  options: (kit) => {
    const { z } = kit;
    return z.strictObject({
      folder: z.string().min(1).describe("Folder that the paths in the tables count from, and lie in"),
      ...tableOptions(kit, "picture"),
      path: z.string().min(1).default("path").describe("Column of the path"),
      label: z.string().min(1).nullable().default("label").describe(
        "Column of the class; empty: the picture has no label; null: none has one, and classes names the teacher's",
      ),
      task: z.enum(["classification", "multi-label"]).default("classification").describe(
        "Whether each picture is of one class, or of several or none",
      ),
      ...severalOptions(kit),
      ...pictureOptions(kit),
    }).superRefine((options, { addIssue }) => {
      const several = options.task === "multi-label" && options.groups
        ? "Cannot join classes to groups for multi-label: a picture may be of several of one group"
        : severalMistake(options);
      const found = (options.test === null) === (options.testPart === null)
        ? { message: `Expected one of test and testPart: got ${options.test === null ? "neither" : "both"}` }
        : several !== null
        ? { message: several }
        : sameFileMistake(options, ", or testPart") ?? disagreement(options as PictureOptions);
      if (found !== null) addIssue({ code: "custom", ...found });
    });
  },
  async load(options, setup) {
    const { folder: name, train, test, testPart } = options;
    const folder = await setup.openFolder(name, "the pictures");
    const files = { ...options.more, train, ...(test !== null && { test }) };
    const bad = new BadExamples(options.onBad);
    const known = new Set(folder.paths);
    const named: Record<string, NamedPictures> = {};
    for (const [split, file] of Object.entries(files)) {
      named[split] = await namedIn(file, split, options.label, known, options, setup, bad);
    }
    const further: NamedPicture[] = [];
    for (const [index, file] of options.unlabelled.entries()) {
      further.push(...(await namedIn(file, `${index + 1}. unlabelled`, null, known, options, setup, bad)).pictures);
    }
    expectDifferentSets(named.train.pictures.map(({ answer }) => answer), named.train.table.file);
    const classes = options.classes ? namedClasses(options.classes) : classesIn(named.train, options.label);
    const pictures = new HashedPictures();
    const labelled = (own: readonly NamedPicture[]) =>
      own.map(({ answer, ...picture }) => {
        const place = { file: picture.where.file, line: picture.line };
        const numberOf = (name: string) => classNumber(name, classes, place);
        const label = answer === null
          ? -1
          : typeof answer === "string"
          ? numberOf(answer)
          : answer.map(numberOf).sort((a, b) => a - b);
        return { ...picture, label };
      });
    const lines = Object.values(named).map(({ table: { file }, pictures }) => ({ file, lines: labelled(pictures) }));
    const warnings = repeatedPictures(lines, classes);
    const hashed = (own: readonly NamedPicture[]) =>
      pictures.add(folder, labelled(own).map(({ line: _, ...example }) => example), bad);
    const splits: Record<string, PictureExample[]> = {};
    for (const [split, own] of Object.entries(named)) splits[split] = await hashed(own.pictures);
    const tables = Object.fromEntries(Object.entries(named).map(([split, { table }]) => [split, table]));
    if (testPart !== null) {
      const drawn = { test: testPart, seed: options.seed, takeEach: null };
      const [labelled, others] = [true, false].map((has) =>
        splits.train.filter((example) => isLabelled(example) === has)
      );
      // What has no label measures nothing, unless none has one.
      const [pool, rest] = labelled.length > 0 ? [labelled, others] : [others, []];
      const sides = splitGroups(
        pool,
        ({ path }) => pictures.hashOf(path),
        ({ label }) => typeof label === "number" ? label : 0,
        drawn,
      );
      Object.assign(splits, { test: sides.test, train: [...sides.train, ...rest] });
      tables.test = tables.train;
    }
    splits.train.push(...await hashed(further));
    if (further.length > 0) delete tables.train;
    return await pictureDataset({
      ...{ folder, name, pictures, classes, tables, setup, bad, warnings },
      several: options.task === "multi-label",
      options: { ...options, classes: null },
      splits: splits as unknown as PictureParts["splits"],
    });
  },
});

/** A picture that a table names. */
interface NamedPicture extends Omit<PictureExample, "label"> {
  /** `null` for none; of several labels all. */
  readonly answer: string | readonly string[] | null;
  readonly line: number;
}

interface NamedPictures {
  readonly table: PictureTable;
  readonly pictures: readonly NamedPicture[];
}

/** The pictures of a table. @param label the column of their classes; `null`: they have none */
async function namedIn(
  file: TableFile,
  split: string,
  label: string | null,
  known: ReadonlySet<string>,
  options: ImageTableOptions,
  setup: DatasetSetup,
  bad: BadExamples,
): Promise<NamedPictures> {
  const table = await readTable(file, split, options, setup);
  const pictures = table.rows.flatMap((row, record) =>
    bad.keep((): NamedPicture => {
      const answer = label === null ? null : answerIn(row, label, table.file, options);
      const path = pathOf(row, table.file, known, options);
      const where = { file: table.file, place: `line ${row.line} ("${visiblePath(path)}")` };
      return { path, answer, line: row.line, record, where };
    })
  );
  bad.checkSome(table.file, pictures);
  return { table: { file: table.file, records: table.rows.length }, pictures };
}

function answerIn(row: TableRow, column: string, file: string, options: ImageTableOptions): NamedPicture["answer"] {
  const { task, separator, none, flags, classes } = options;
  if (task === "classification") return labelIn(row, column, file, "one class, a text or a number");
  return severalLabelsIn(row, column, file, { separator, none, flagged: flags ? namedClasses(classes!) : null });
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

function classesIn({ pictures, table }: NamedPictures, label: string | null): string[] {
  const classes = sortedClasses(pictures.flatMap(({ answer }) => answer ?? []));
  if (classes.length === 0) throw classesUnsaid(table.file);
  if (classes.length >= 2 && classes.length <= 2 ** 16) return classes;
  throw new UserError(
    `Cannot tell classes by the column "${label}" of "${table.file}": it has ${classes.length} different values, and 2 ` +
      "to 65536 are needed",
  );
}
