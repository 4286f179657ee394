import type { Normalisation } from "../../../core/data/image_augment.ts";
import type { Images } from "../../../core/data/images.ts";
import { UserError } from "../../../core/errors.ts";
import type {
  Augmentation,
  Dataset,
  DatasetSetup,
  Examples,
  ExampleSource,
  OpenFolder,
} from "../../../core/plugin/dataset.ts";
import { flagsOf, flagTensors, labelledAmong, labelTensors } from "../../../core/plugin/labelled.ts";
import { visiblePath } from "../../../core/visible.ts";
import { imageBatch } from "../image_examples.ts";
import { groupClasses } from "../image_groups.ts";
import { equalNumbers, expectTrained, lackingClasses, repeatedExamples } from "../split_warnings.ts";
import { badExample, type BadExamples, type ExamplePlace } from "../text/bad_examples.ts";
import type { HashedPictures } from "./hashed_pictures.ts";
import { pictureForm } from "./picture_form.ts";
import type { PictureOptions } from "./picture_options.ts";
import { type FetchAhead, PictureStore } from "./picture_store.ts";

/** A picture and its class, or its classes. */
export interface PictureExample {
  /** Its path in the folder of the pictures. */
  readonly path: string;
  /** -1: none. Of several labels all, none of which is a picture of no class. */
  readonly label: number | readonly number[];
  readonly where: ExamplePlace;
  /** The number of its row in its table, from 0; of pictures that no table names, any. */
  readonly record: number;
}

/** A table that names the pictures of a split. */
export interface PictureTable {
  readonly file: string;
  /** How many rows it has. */
  readonly records: number;
}

/** Splits by name. */
export type PictureSplits = Readonly<Record<string, readonly PictureExample[]>>;

/** What a data set of pictures is made of. */
export interface PictureParts {
  readonly folder: OpenFolder;
  /** How the folder is called in messages. */
  readonly name: string;
  readonly pictures: HashedPictures;
  readonly splits: PictureSplits & {
    readonly train: readonly PictureExample[];
    readonly test: readonly PictureExample[];
  };
  /** The table of each split, where it is of one. */
  readonly tables?: Readonly<Record<string, PictureTable>>;
  readonly classes: readonly string[];
  /** Whether a picture may be of several classes, or of none. */
  readonly several?: boolean;
  readonly options: PictureOptions;
  readonly setup: DatasetSetup;
  /** Counts what is left out. */
  readonly bad: BadExamples;
  /** What is to be told beside it. */
  readonly warnings: readonly string[];
}

/** Whether a picture has a label. */
export const isLabelled = ({ label }: Pick<PictureExample, "label">) => label !== -1;

/** The numbers of a picture's classes. */
const classesOf = ({ label }: PictureExample) => label === -1 ? [] : [label].flat();

/**
 * A data set of pictures with a class each, or several.
 *
 * @throws UserError for a picture that is damaged, where such are refused, a class without one, or sizes that differ
 */
export async function pictureDataset(parts: PictureParts): Promise<Dataset> {
  const { folder, name, pictures, splits, tables = {}, classes, several = false, options, setup, bad, warnings } =
    parts;
  const form = await pictureForm(options, setup);
  const all = Object.values(splits).flat();
  // By their hashes, so that pixels are kept once, whatever the files are called and however they are split.
  const owners = new Map(all.map((example) => [pictures.hashOf(example.path), example]));
  const hashes = [...owners.keys()].sort();
  const numbers = new Map(hashes.map((hash, number) => [hash, number]));
  const numberOf = ({ path }: PictureExample) => numbers.get(pictures.hashOf(path))!;
  const ownerOf = (picture: number) => owners.get(hashes[picture])!;
  const labelled = Object.entries(splits).map(([split, examples]) => [
    split,
    examples.map(({ path, label }) => {
      const named = typeof label === "number" ? classes[label] ?? null : label.map((number) => classes[number]);
      return [path, pictures.hashOf(path), named];
    }),
  ]);
  await setup.noteInput(name, new TextEncoder().encode(JSON.stringify([form.described, labelled])));
  const files = {
    hashes,
    bytes: pictures.bytes,
    nameOf: (picture: number) => `${name}/${ownerOf(picture).path}`,
    read: (picture: number) => pictures.read(folder, ownerOf(picture).path),
    // The first is told at once where it ends the run.
    failed: (picture: number, reason: string) =>
      options.onBad === "refuse" && badExample(ownerOf(picture).where, reason),
  };
  const store = await PictureStore.open(files, form, { ...options, memory: options.memory * 2 ** 20 });
  const failed = store instanceof PictureStore ? store.failed : store;
  const usable = Object.fromEntries(
    Object.entries(splits).map(([split, examples]) => {
      const kept = examples.filter((example) => {
        const reason = failed.get(numberOf(example));
        return reason === undefined || bad.keep(() => badExample(example.where, reason)).length > 0;
      });
      return [split, kept];
    }),
  ) as unknown as PictureParts["splits"];
  for (const [split, examples] of Object.entries(usable)) {
    if (examples.length === 0) bad.checkSome(splits[split][0]?.where.file ?? name, []);
  }
  if (!(store instanceof PictureStore)) throw new Error("a store without a picture");
  // Of a transfer set without any label the teacher knows the classes.
  if (usable.train.some(isLabelled)) expectTrained(usable.train.flatMap(classesOf), classes, name, "picture");
  const numbersOf = (examples: readonly PictureExample[]) => Uint32Array.from(examples, numberOf);
  const measured = measure(store, numbersOf(usable.train));
  const normalise = { mean: form.mean ?? measured.mean, std: form.std ?? measured.std };
  for (const key of ["mean", "std"] as const) {
    const { length } = normalise[key];
    if (length === options.channels) continue;
    throw new UserError(
      `Cannot normalise ${options.channels} channels by ${length} values in ${key}: one each is needed`,
    );
  }
  const grouped = options.groups && groupClasses(classes, options.groups);
  const examplesOf = (split: string, examples: readonly PictureExample[]): Examples => {
    const source = sourceOf(examples, tables[split]);
    const one = (label: number) => grouped && label >= 0 ? grouped.groupOf[label] : label;
    const labels = several
      ? examples.map((example) => isLabelled(example) ? flagsOf(classesOf(example), classes.length) : null)
      : Int32Array.from(examples, ({ label }) => one(label as number));
    return { ...pictureExamples(store, numbersOf(examples), labels, normalise, classes.length), source };
  };
  const equal = equalNumbers(usable, ({ path }) => pictures.hashOf(path));
  const told = [
    ...warnings,
    ...lackingClasses(usable, classes, (example) => isLabelled(example) ? classesOf(example) : null, "picture"),
    ...repeatedExamples(usable, {
      equal,
      placeOf: ({ path }) => `"${visiblePath(path)}"`,
      what: "pictures",
      how: "byte for byte",
    }),
  ];
  return {
    input: {
      task: several ? "multi-label" : "classification",
      classes: grouped?.classes ?? classes,
      image: {
        size: store.size,
        normalise,
        processor: form.processor,
        ...(!form.colours.orient && { orient: false }),
      },
      text: null,
    },
    splits: Object.fromEntries(
      Object.entries(usable).map(([split, examples]) => {
        return [split, { ...examplesOf(split, examples), equal: equal[split] }];
      }),
    ) as unknown as Dataset["splits"],
    ...(bad.skipped.length > 0 && { skipped: bad.skipped }),
    ...(told.length > 0 && { warnings: told }),
    close: () => store.close(),
  };
}

/** Where pictures come from: their paths are their ids, unless two examples are of one. */
function sourceOf(examples: readonly PictureExample[], table: PictureTable | undefined): ExampleSource {
  const ids = examples.map(({ path }) => path);
  return {
    file: table?.file ?? null,
    records: table?.records ?? examples.length,
    record: Uint32Array.from(examples, ({ record }) => record),
    ids: new Set(ids).size === ids.length ? ids : null,
  };
}

/** Mean and deviation of each channel of some pictures, as parts of 1. */
function measure(store: PictureStore, pictures: Uint32Array): Normalisation {
  const { sums, squares, count } = store.sumsOf(pictures);
  const mean = sums.map((sum) => sum / count);
  const std = squares.map((sum, c) => Math.max(Math.sqrt(Math.max(sum / count - mean[c] * mean[c], 0)) / 255, 1e-6));
  return { mean: mean.map((value) => value / 255), std };
}

/**
 * Examples of a store's pictures.
 *
 * @param given the label of each, -1 for one without; of several labels a flag for each class, `null` for none
 * @param classes how many there are
 */
function pictureExamples(
  store: PictureStore,
  pictures: Uint32Array,
  given: Int32Array | readonly (Uint8Array | null)[],
  normalise: Normalisation,
  classes: number,
): Examples {
  const labels = given instanceof Int32Array ? given : null;
  const labelled = labels?.includes(-1)
    ? Uint8Array.from(labels, (label) => label < 0 ? 0 : 1)
    : given instanceof Int32Array
    ? undefined
    : labelledAmong(given);
  const shared = { length: pictures.length, labels, ...(labelled && { labelled }) };
  const batchOf = (images: Images, indices: Uint32Array, augmentation?: Augmentation) => ({
    image: imageBatch(images, normalise, indices, augmentation),
    ...(given instanceof Int32Array
      ? labelTensors(given, labelled, indices)
      : flagTensors(given, labelled, indices, classes)),
  });
  if (!store.streams) {
    const images = store.imagesOf(pictures);
    return { ...shared, batch: (...call) => batchOf(images, ...call) };
  }
  const [height, width, channels] = store.size;
  const bytes = height * width * channels;
  let [pixels, places]: [Uint8Array, Map<number, number>] = [new Uint8Array(), new Map()];
  let next: { readonly wanted: readonly number[]; readonly coming: FetchAhead } | null = null;
  const picturesOf = (wanted: readonly number[]) => wanted.map((index) => pictures[index]);
  return {
    ...shared,
    async ahead(indices) {
      const wanted = [...new Set(indices)];
      const coming = store.fetchAhead(picturesOf(wanted));
      next = coming && { wanted, coming };
      await coming?.begun;
    },
    async fetch(indices) {
      const wanted = [...new Set(indices)];
      if (wanted.every((index) => places.has(index))) return;
      const coming = next?.wanted.join() === wanted.join() ? next.coming : null;
      if (coming) next = null;
      pixels = await (coming?.pixels ?? store.fetch(picturesOf(wanted)));
      places = new Map(wanted.map((index, place) => [index, place]));
    },
    batch(...call) {
      const placeOf = (index: number) => places.get(index)! * bytes;
      return batchOf({ pixels, placeOf, count: pictures.length, height, width, channels }, ...call);
    },
  };
}
